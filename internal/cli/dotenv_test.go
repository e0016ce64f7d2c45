package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/cluster"
)

func TestDotenvReadsWhatPeopleWrite(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want map[string]string
	}{
		"nothing":                       {"", map[string]string{}},
		"comments and blank lines":      {"# a=b\n\n  \t\n", map[string]string{}},
		"a plain value":                 {"A=b c", map[string]string{"A": "b c"}},
		"blanks around it":              {"  A = b  \n", map[string]string{"A": "b"}},
		"an empty value":                {"A=\nB=''\n", map[string]string{"A": "", "B": ""}},
		"a value with =":                {"A=b=c==\n", map[string]string{"A": "b=c=="}},
		"a comment behind":              {"A=b#c # d\nB=# e\n", map[string]string{"A": "b#c", "B": ""}},
		"export":                        {"export A=b\n", map[string]string{"A": "b"}},
		"a name with a hyphen":          {"API-KEY=b\n", map[string]string{"API-KEY": "b"}},
		"single quotes take all":        {`A='b\n #"$C' # d`, map[string]string{"A": `b\n #"$C`}},
		"double quotes have escapes":    {`A="b\n\"c\" \\ \$ \x # d"`, map[string]string{"A": "b\n\"c\" \\ $ \\x # d"}},
		"several lines":                 {"A=\"-----BEGIN\nkey\n-----END\"\nB=c\n", map[string]string{"A": "-----BEGIN\nkey\n-----END", "B": "c"}},
		"lines of Windows":              {"\ufeffA=b\r\nB='c'\r\n", map[string]string{"A": "b", "B": "c"}},
		"the last of two counts":        {"A=b\nA=c\n", map[string]string{"A": "c"}},
		"nothing is expanded":           {"A=$HOME\nB=${A}\n", map[string]string{"A": "$HOME", "B": "${A}"}},
		"the last line without its end": {"A=b\nB=\"c\"", map[string]string{"A": "b", "B": "c"}},
	} {
		got, err := parseDotenv(c.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestDotenvSaysTheLineAndNeverAValue(t *testing.T) {
	for text, want := range map[string]string{
		"A=b\nsecret\n":              "line 2 is not of the form NAME=value",
		"1A=secret":                  "line 1 is not of the form NAME=value",
		"A B=secret":                 "line 1 is not of the form NAME=value",
		"A='\n'\n\nB=\"secret\nmore": "line 4: the quotes of B are not closed",
		"A='x' secret":               "line 1: something follows the quotes of A",
	} {
		_, err := parseDotenv(text)
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestSecretValuesAreThoseThatTheClusterDeclares(t *testing.T) {
	declared := []cluster.SecretSource{
		{Name: "INLINE", Source: "inline"}, {Name: "OVER", Source: "inline"}, {Name: "A", Source: "env", Key: "A_ENV"}, {Name: "B", Source: "env", Key: "B_ENV"},
		{Name: "C", Source: "env", Key: "C_ENV"}, {Name: "D", Source: "env", Key: "D_ENV"}, {Name: "V", Source: "vault", Key: "v"}, {Name: "W", Source: "vault", Key: "w"},
	}
	file := map[string]string{"OVER": "file", "A": "by name", "A_ENV": "by variable", "B_ENV": "by variable", "V": "file", "UNKNOWN": "never"}
	env := map[string]string{"A_ENV": "env", "B_ENV": "env", "C_ENV": "env", "INLINE": "env", "w": "env", "UNKNOWN": "never"}
	got := secretValues(declared, file, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	want := map[string]string{"OVER": "file", "A": "by name", "B": "by variable", "C": "env", "V": "file"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
}
