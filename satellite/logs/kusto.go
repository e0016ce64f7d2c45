package logs

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// kusto speaks streaming ingestion of Azure Data Explorer: https://learn.microsoft.com/kusto/api/rest/streaming-ingest
//
// Rows are CSV in a fixed order of columns, for which no mapping need be made; with one, they are JSON.
type kusto struct {
	*target
	cluster string
	ingest  string // the address, with database, table and format
	mapped  bool
	bearer  string // once there is one
}

func newKusto(t *target) (provider, error) {
	k := &kusto{target: t, cluster: strings.TrimRight(t.option("cluster-url", t.endpoint), "/"), mapped: t.option("mapping", "") != ""}
	database, table := t.option("database", ""), t.option("table", "")
	if k.cluster == "" || database == "" || table == "" {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "kusto needs cluster-url, database and table; write the first like https://mycluster.westeurope.kusto.windows.net")
	}
	query := url.Values{"streamFormat": {"CSV"}}
	if k.mapped {
		query = url.Values{"streamFormat": {"MultiJSON"}, "mappingName": {t.option("mapping", "")}}
	}
	k.ingest = k.cluster + "/v1/rest/ingest/" + url.PathEscape(database) + "/" + url.PathEscape(table) + "?" + query.Encode()
	return k, nil
}

// A request has at most 4 MB before compression, a value of a column 1 MiB.
func (k *kusto) limits() limits { return limits{bytes: 3_900_000, overhead: 1, row: 900_000} }

func (k *kusto) encode(r *record) []byte {
	if k.mapped {
		return encode(r.document())
	}
	fields := r.fields
	if fields == nil {
		fields = map[string]any{}
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{r.id, r.stamp(), r.level, r.message, r.run, r.cluster, r.satellite, r.item, strconv.Itoa(r.attempt), r.node, string(encode(fields))}) // a buffer takes everything
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (k *kusto) put(ctx context.Context, rows []row) (outcome, error) {
	if err := k.login(ctx); err != nil {
		return outcome{}, err
	}
	contentType := "text/csv"
	if k.mapped {
		contentType = "application/json"
	}
	header := http.Header{"Authorization": {"Bearer " + k.bearer}, "Content-Type": {contentType + "; charset=utf-8"}, "Accept": {"application/json"},
		"X-Ms-App": {service.UserAgent}, "X-Ms-Client-Request-Id": {"orbit;" + k.id}}
	call := k.call(k.ingest, header, join(rows, "\n"))
	call.Secrets = append(call.Secrets, k.bearer)
	call.Denied = "give the application of application-id the role Database Ingestor"
	answer, err := k.client.Do(ctx, call)
	if err != nil {
		return outcome{}, err
	}
	if err := answer.Refused(); err != nil {
		var said struct {
			Error struct {
				Permanent *bool `json:"@permanent"`
			} `json:"error"`
		}
		if answer.Status == http.StatusBadRequest && answer.JSON(&said) && said.Error.Permanent != nil && !*said.Error.Permanent {
			return outcome{}, orbit.Transient(orbit.CodeUnavailable, "%s", err.Error())
		}
		return outcome{}, err
	}
	return outcome{sent: len(rows)}, nil
}

// login gets a token of Microsoft Entra for the application (the client credentials flow), unless api-key is one.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
func (k *kusto) login(ctx context.Context) error {
	if k.bearer == "" && strings.HasPrefix(k.key, "eyJ") && strings.Count(k.key, ".") == 2 { // a JSON Web Token
		k.bearer = k.key
	}
	if k.bearer != "" {
		return nil
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {k.app}, "client_secret": {k.key}, "scope": {k.cluster + "/.default"}}
	address := strings.TrimRight(k.option("login-url", "https://login.microsoftonline.com"), "/") + "/" + url.PathEscape(k.account) + "/oauth2/v2.0/token"
	call := k.call(address, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()))
	call.Denied = loginAdvice
	answer, err := k.client.Do(ctx, call)
	if err != nil {
		return err
	}
	if answer.Status == http.StatusBadRequest { // so it says that tenant, application or secret are unknown
		return orbit.Permanent(orbit.CodeDenied, "%s; %s", answer.Refused(), loginAdvice)
	}
	if err := answer.Refused(); err != nil {
		return err
	}
	var said struct {
		Token string `json:"access_token"`
	}
	if !answer.JSON(&said) || said.Token == "" {
		return orbit.Transient(orbit.CodeUnavailable, "%s answered without a token", answer.Name())
	}
	k.bearer = said.Token
	return nil
}

const loginAdvice = "check account-id (the tenant), application-id (the application's client id) and api-key (its secret)"
