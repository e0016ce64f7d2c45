// Package files holds the satellites that find and write files, and Opener, through which every satellite reads one.
//
//	get-files ──emit──► {file-uri, file-path, …} ──► the satellites below open file-uri by Opener
//	put-files ◄── an object                      ──► a file of a folder
//
// Two stores are known: folders of the node (provider file) and S3-compatible object stores (provider aws-s3). A place
// in either is named by a URI, file:///folder/name or s3://bucket/key, percent-escaped as URIs are.
//
// It refuses to hold a whole listing or a whole file in memory, to fall back on credentials of the node itself, and to
// put a credential into an output or an error.
package files
