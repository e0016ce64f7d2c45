// Package files holds the satellites that find, write, move and delete files, and Opener, through which every satellite
// reads one.
//
//	get-files ──emit──► {file-uri, file-path, …} ──► the satellites below open file-uri by Opener
//	put-files ◄── an object                      ──► a file of a folder
//	move-file, delete-file ◄── a file            ──► where it is now, whether it was there
//
//	place ──account──► store: list, stat, open, create, remove (copy, rename)
//	                     node · s3 · gcs · azure · sftp · ftp
//
// A place in any store is named by a URI, file:///folder/name, s3://bucket/key, gs://bucket/key, az://container/blob,
// sftp://host/folder/name or ftp://host/folder/name, percent-escaped as URIs are.
//
// It refuses to hold a whole listing or a whole file in memory, to fall back on credentials of the node itself, to send
// credentials to a host they are not for, and to put one into an output or an error.
package files
