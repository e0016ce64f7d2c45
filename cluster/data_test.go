package cluster_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/cluster"
)

// resolved gives config and input of a plan's last step as JSON, with a few values to read.
func resolved(t *testing.T, p *cluster.Plan) (config, input string) {
	t.Helper()
	s := p.Steps[len(p.Steps)-1]
	scope := &cluster.Scope{
		Plan:    p,
		Secrets: map[string]string{"TOKEN": "t0ken"},
		Values:  map[string]any{"run": map[string]any{"id": "r1", "deadline": nil}},
		Output: func(step string) (any, error) {
			return map[string]any{"pages": 3, "list": []any{1, 2}, "text": "héllo", "markdown": "# x"}, nil
		},
	}
	for i, part := range []*cluster.Template{s.Config, s.Input} {
		v, err := part.Resolve(scope)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		*[]*string{&config, &input}[i] = string(text)
	}
	return config, input
}

func TestConfigAndInputTakeTheSchemasForm(t *testing.T) {
	webhook := "    - uses: exospherehost/call-webhook\n      config:\n        url: u\n"
	for name, c := range map[string]struct{ step, config, input string }{
		"snake_case":                       {webhook + "        follow_redirects: true\n", `{"follow-redirects":true,"url":"u"}`, `null`},
		"a list of one-key maps":           {webhook + "        headers:\n          - A: 1\n          - B_c: x\n", `{"headers":{"A":1,"B_c":"x"},"url":"u"}`, `null`},
		"snake_case further down":          {webhook + "        options: [{max_size: 3}]\n", `{"options":{"max-size":3},"url":"u"}`, `null`},
		"a body in config is left alone":   {webhook + "        body:\n          - follow_redirects: 1\n", `{"body":[{"follow_redirects":1}],"url":"u"}`, `null`},
		"a body in the input is left too":  {webhook + "      input:\n        body: [{max_size: 1}]\n", `{"url":"u"}`, `{"body":[{"max_size":1}]}`},
		"the input's own keys are named":   {webhook + "      input: {query_params: [{page_size: 1}, {b: 2}]}\n", `{"url":"u"}`, `{"query-params":{"b":2,"page_size":1}}`},
		"an input inside config":           {webhook + "        input: {query-params: {a: 1}}\n", `{"url":"u"}`, `{"query-params":{"a":1}}`},
		"an input without a schema":        {"    - {uses: exospherehost/jq, config: {query: .}, input: [{a_b: 1}, {c_d: 2}]}\n", `{"query":"."}`, `[{"a_b":1},{"c_d":2}]`},
		"an input that is an expression":   {"    - {uses: exospherehost/gemma, input: \"${{ satellites.a.output }}\"}\n", `null`, `{"list":[1,2],"markdown":"# x","pages":3,"text":"héllo"}`},
		"output-schema is left alone":      {"    - {uses: exospherehost/gemma, config: {output_schema: {max_tokens: 1}}, input: {prompt: x}}\n", `{"output-schema":{"max_tokens":1}}`, `{"prompt":"x"}`},
		"an expression stands in anywhere": {"    - {uses: exospherehost/gemma, config: {temperature: \"${{ satellites.a.output.pages }}\"}, input: {prompt: x}}\n", `{"temperature":3}`, `{"prompt":"x"}`},
		"an empty config":                  {"    - {uses: exospherehost/parse-pdf, config: {}}\n", `{}`, `null`},
		"an empty input":                   {"    - {uses: exospherehost/jq, config: {query: .}, input: []}\n", `{"query":"."}`, `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			config, input := resolved(t, must(t, head+step("a", "")+c.step))
			if config != c.config || input != c.input {
				t.Errorf("config %s\n  want %s\ninput %s\n want %s", config, c.config, input, c.input)
			}
		})
	}
}

func TestScalarsHaveTheTypesOfJSON(t *testing.T) {
	input := `{int: 7, neg: -1, big: 18446744073709551615, hex: 0x10, float: 1.0, exp: 1e3, yes: yes, 'on': on, t: true, tilde: ~, empty: , date: 2024-01-31, time: 12:30:00, quoted: "7", 1: one, true: two}`
	_, got := resolved(t, must(t, head+"    - {uses: exospherehost/jq, config: {query: .}, input: "+input+"}\n"))
	want := `{"1":"one","big":18446744073709552000,"date":"2024-01-31","empty":null,"exp":1000,"float":1,"hex":16,"int":7,"neg":-1,"on":"on","quoted":"7","t":true,"tilde":null,"time":"12:30:00","true":"two","yes":"yes"}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestExpressionsInText(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"alone, the type is kept":           {`"${{ satellites.a.output.pages }}"`, `3`},
		"with two dollars too":              {`"$${{ satellites.a.output.pages }}"`, `3`},
		"in text":                           {`"p. ${{ satellites.a.output.pages }}!"`, `"p. 3!"`},
		"blanks beside it are text":         {`" ${{ satellites.a.output.pages }}"`, `" 3"`},
		"with two dollars in text":          {`"a $${{ run.id }} $ $$ {{ }} ${ x }"`, `"a r1 $ $$ {{ }} ${ x }"`},
		"three dollars":                     {`"$$${{ run.id }}"`, `"$r1"`},
		"two beside each other":             {`"${{run.id}}${{run.id}}"`, `"r1r1"`},
		"a list in text":                    {`"x ${{ satellites.a.output.list }}"`, `"x [1,2]"`},
		"the opening itself":                {`"${{ '${{' }} x }}"`, `"${{ x }}"`},
		"braces inside quotes":              {`"${{ '}}' }}"`, `"}}"`},
		"a quote inside quotes":             {`"${{ 'it''s' }}"`, `"it's"`},
		"a block that is one expression":    {"|\n          ${{ satellites.a.output.pages }}\n", `3`},
		"a block with text":                 {"|\n          a ${{ satellites.a.output.pages }}\n          b\n", `"a 3\nb\n"`},
		"folded over two lines":             {">-\n          ${{\n          satellites.a.output.pages }}\n", `3`},
		"values are not parsed again":       {`"${{ '$' }}{{ run.id }}"`, `"${{ run.id }}"`},
		"a comparison":                      {`"${{ satellites.a.output.pages > 2 && satellites.a.output.pages <= 3 }}"`, `true`},
		"not":                               {`"${{ !(satellites.a.output.pages == 3) }}"`, `false`},
		"numbers of two kinds are equal":    {`"${{ 3.0 == satellites.a.output.pages }}"`, `true`},
		"text and number are not":           {`"${{ satellites.a.output.pages != '3' }}"`, `true`},
		"or gives the operand":              {`"${{ satellites.a.output.none? || 'x' }}"`, `"x"`},
		"and looks no further":              {`"${{ false && satellites.a.output.none }}"`, `false`},
		"default":                           {`"${{ default(satellites.a.output.none?, 5) }}"`, `5`},
		"contains in text":                  {`"${{ contains(satellites.a.output.text, 'llo') }}"`, `true`},
		"contains in a list":                {`"${{ contains(satellites.a.output.list, 2) }}"`, `true`},
		"startsWith and endsWith":           {`"${{ startsWith('abc', 'a') && endsWith('abc', 'c') }}"`, `true`},
		"length in characters":              {`"${{ length(satellites.a.output.text) }}"`, `5`},
		"toJSON and fromJSON":               {`"${{ fromJSON(toJSON(satellites.a.output.list)) }}"`, `[1,2]`},
		"join":                              {`"${{ join(satellites.a.output.list, '-') }}"`, `"1-2"`},
		"format":                            {`"${{ format('{0} of {1}, {{x}}', 1, satellites.a.output.pages) }}"`, `"1 of 3, {x}"`},
		"literals":                          {`"${{ fromJSON('[1]') == fromJSON('[1]') && null == null && -1 < 0.5 && true }}"`, `true`},
		"an operation in text":              {`"x ${{ length('ab') }}"`, `"x 2"`},
		"an object is its primary text":     {`"x ${{ satellites.p.output }}"`, `"x # x"`},
		"an object without one is its JSON": {`"${{ satellites.a.output }}."`, `"{\"list\":[1,2],\"markdown\":\"# x\",\"pages\":3,\"text\":\"héllo\"}."`},
	} {
		t.Run(name, func(t *testing.T) {
			p := must(t, head+step("a", "")+"    - {uses: exospherehost/parse-pdf, identifier: p}\n"+
				"    - uses: exospherehost/jq\n      config: {query: .}\n      input:\n        v: "+c.yaml+"\n")
			again, err := cluster.ParsePlan(p.Encode())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []*cluster.Plan{p, again} {
				if _, got := resolved(t, p); got != `{"v":`+c.want+`}` {
					t.Errorf("got %s, want %s", got, c.want)
				}
			}
		})
	}
}

func TestOperationsThatCannotBeDoneSayWhy(t *testing.T) {
	for expr, want := range map[string]string{
		"fromJSON('1') < 'a'":                 "a number and a text have no order",
		"length(fromJSON('1'))":               "a number has no length",
		"startsWith(fromJSON('1'), 'a')":      "argument 1 is a number and not text",
		"contains('a', fromJSON('1'))":        "argument 2 is a number and not text",
		`join(fromJSON('true'))`:              "argument 1 is a boolean and not a list",
		"join(fromJSON('[]'), fromJSON('1'))": "argument 2 is a number and not text",
		"fromJSON('{')":                       "the text is no JSON",
		"format('{1}', 1)":                    "{1} is none of the 1 arguments",
		"format('{', 1)":                      "a { is not closed",
		"satellites.a.output.none":            `there is no field "none"`,
	} {
		p := must(t, head+step("a", "")+fmt.Sprintf("    - {uses: exospherehost/jq, config: {query: .}, input: \"${{ %s }}\"}\n", expr))
		_, err := p.Steps[1].Input.Resolve(&cluster.Scope{Output: func(string) (any, error) { return map[string]any{}, nil }})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

// TestValuesAreCheckedWithoutExpressions: the hook sees null where an expression stands, and what it says of such a
// place is dropped.
func TestValuesAreCheckedWithoutExpressions(t *testing.T) {
	r := compile(head + "    - {uses: exospherehost/gemma, config: {temperature: \"${{ run.id }}\"}, input: {prompt: x}}\n")
	if len(r.Diagnostics) != 0 {
		t.Error(told(r.Diagnostics))
	}
}
