package cli

import (
	"fmt"
	"regexp"
	"strings"
)

// readDotenv reads a file of lines NAME=value. Errors never show a value.
func (a *app) readDotenv(name string) (map[string]string, error) {
	text, err := a.read(name)
	if err != nil {
		return nil, err
	}
	values, err := parseDotenv(string(text))
	if err != nil {
		return nil, failf("%s: %w", name, err)
	}
	return values, nil
}

var dotenvName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// parseDotenv reads lines NAME=value. Blank lines and lines that begin with # are left out, and so is the word export. A
// value in 'single quotes' is taken as it is, one in "double quotes" has \n, \t, \r, \", \\ and \$, and either may go over
// several lines; of a plain value the blanks around it are cut off, and what follows a blank and #. Nothing is expanded.
// The last of two lines with the same name counts.
func parseDotenv(text string) (map[string]string, error) {
	values := map[string]string{}
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	for line := 1; text != ""; {
		first, rest, _ := strings.Cut(text, "\n")
		entry := strings.TrimSpace(first)
		if entry == "" || entry[0] == '#' {
			text, line = rest, line+1
			continue
		}
		name, value, ok := strings.Cut(first, "=")
		name = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(name), "export "))
		if !ok || !dotenvName.MatchString(name) {
			return nil, fmt.Errorf("line %d is not of the form NAME=value", line)
		}
		value = strings.TrimLeft(value, " \t")
		if value == "" || (value[0] != '"' && value[0] != '\'') {
			values[name] = plainValue(value)
			text, line = rest, line+1
			continue
		}
		from := len(first) - len(value)
		inner, used, ok := quotedValue(text[from:])
		if !ok {
			return nil, fmt.Errorf("line %d: the quotes of %s are not closed", line, name)
		}
		after, remaining, _ := strings.Cut(text[from+used:], "\n")
		if after = strings.TrimSpace(after); after != "" && after[0] != '#' {
			return nil, fmt.Errorf("line %d: something follows the quotes of %s", line, name)
		}
		values[name] = inner
		line += strings.Count(text[:len(text)-len(remaining)], "\n")
		text = remaining
	}
	return values, nil
}

// plainValue is a value without quotes, its comment cut off.
func plainValue(s string) string {
	for i := range len(s) {
		if s[i] == '#' && (i == 0 || s[i-1] == ' ' || s[i-1] == '\t') {
			s = s[:i]
			break
		}
	}
	return strings.TrimSpace(s)
}

// quotedValue reads a value that begins with a quote; used is the number of bytes up to after the closing one.
func quotedValue(s string) (value string, used int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return b.String(), i + 1, true
		case s[i] == '\\' && s[0] == '"' && i+1 < len(s):
			i++
			if to, known := map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '"': `"`, '\\': `\`, '$': "$"}[s[i]]; known {
				b.WriteString(to)
			} else {
				b.WriteString(s[i-1 : i+1])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, false
}
