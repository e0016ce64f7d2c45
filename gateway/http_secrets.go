package gateway

import (
	"encoding/json"
	"net/http"
	"unicode/utf8"
)

// maxSecret is the size of the largest value: keys and certificates have a few KiB, and a node gets all that a step needs in
// one message.
const maxSecret = 64 << 10

// putSecret stores a value in a project's vault.
func (g *Gateway) putSecret(w http.ResponseWriter, r *http.Request) error {
	project, name, err := secretOfPath(r)
	if err != nil {
		return err
	}
	body, err := readBody(w, r, 6*maxSecret+1024) // each byte may be written as \u0000
	if err != nil {
		return err
	}
	var request struct {
		Value *string `json:"value"`
	}
	if err := json.Unmarshal(body, &request); err != nil || request.Value == nil { // the error would show the body
		return badRequest("the body is not JSON with the value of the secret, such as {\"value\": \"…\"}")
	}
	switch value := *request.Value; {
	case value == "":
		return invalid("the value of %s is empty; `orbit secrets rm %s %s` removes a secret", name, project, name)
	case len(value) > maxSecret:
		return problem(http.StatusRequestEntityTooLarge, "the value of %s has more than %d KiB, which is the most", name, maxSecret>>10)
	case !utf8.Valid(body):
		return invalid("the value of %s is no text (UTF-8); store bytes in base64", name)
	}
	doc, created, err := g.setSecret(r.Context(), project, name, *request.Value)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return writeJSON(w, status, doc)
}

func (g *Gateway) removeSecret(w http.ResponseWriter, r *http.Request) error {
	project, name, err := secretOfPath(r)
	if err != nil {
		return err
	}
	if err := g.unsetSecret(r.Context(), project, name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// getSecrets lists names, with versions and times. There is no way to read a value.
func (g *Gateway) getSecrets(w http.ResponseWriter, r *http.Request) error {
	project := r.PathValue("project")
	if !projectPattern.MatchString(project) {
		return badRequest("%.40q is no name of a project; write what stands before the slash of a cluster's identifier", project)
	}
	all, err := g.listSecrets(r.Context(), project)
	if err != nil {
		return err
	}
	p, err := offsetPage(r, all)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, p)
}

// secretOfPath reads the project and the name of a path.
func secretOfPath(r *http.Request) (project, name string, err error) {
	project, name = r.PathValue("project"), r.PathValue("name")
	if !projectPattern.MatchString(project) {
		return "", "", badRequest("%.40q is no name of a project; write what stands before the slash of a cluster's identifier", project)
	}
	if !storable(name) {
		return "", "", badRequest("%.40q is no name of a secret; write it of letters, digits, _ and -, with dots between such words, %d characters at most", name, maxSecretName)
	}
	return project, name, nil
}
