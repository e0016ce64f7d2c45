package cluster

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/exospherehost/orbit"
)

// resolve gives the value of an operation.
func (o *Operation) resolve(s *Scope) (any, error) {
	switch o.Name {
	case "literal":
		return o.Literal, nil
	case "&&", "||": // as in JavaScript: the operand that decides; the second is not looked at where the first does
		v, err := o.Args[0].resolve(s)
		if err != nil || truth(v) == (o.Name == "||") {
			return v, err
		}
		return o.Args[1].resolve(s)
	}
	args := make([]any, len(o.Args))
	for i, a := range o.Args {
		v, err := a.resolve(s)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	v, err := o.apply(args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	return v, nil
}

// truth: null, false, 0 and empty text are false, all else is true.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	}
	if f, ok := number(v); ok {
		return f != 0
	}
	return true
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func (o *Operation) apply(args []any) (any, error) {
	switch o.Name {
	case "!":
		return !truth(args[0]), nil
	case "==":
		return equal(args[0], args[1]), nil
	case "!=":
		return !equal(args[0], args[1]), nil
	case "<", "<=", ">", ">=":
		return ordered(o.Name, args[0], args[1])
	case "length":
		return length(args[0])
	case "default":
		if args[0] == nil {
			return args[1], nil
		}
		return args[0], nil
	case "toJSON":
		return toJSON(args[0])
	case "contains":
		if list, ok := args[0].([]any); ok {
			for _, e := range list {
				if equal(e, args[1]) {
					return true, nil
				}
			}
			return false, nil
		}
	case "join":
		return joined(args)
	}
	texts := make([]string, len(args))
	for i, a := range args {
		t, ok := a.(string)
		if !ok && (o.Name != "format" || i == 0) {
			return nil, fmt.Errorf("argument %d is %s and not text", i+1, kindOf(a))
		}
		texts[i] = t
	}
	switch o.Name {
	case "contains":
		return strings.Contains(texts[0], texts[1]), nil
	case "startsWith":
		return strings.HasPrefix(texts[0], texts[1]), nil
	case "endsWith":
		return strings.HasSuffix(texts[0], texts[1]), nil
	case "fromJSON":
		object, err := orbit.ParseObject([]byte(texts[0]))
		if err != nil {
			return nil, fmt.Errorf("the text is no JSON: %w", err)
		}
		return object.Value()
	case "format":
		return format(texts[0], args[1:])
	}
	return nil, fmt.Errorf("there is no function %q", o.Name)
}

func equal(a, b any) bool {
	x, isX := number(a)
	y, isY := number(b)
	if isX || isY {
		return isX && isY && x == y
	}
	return reflect.DeepEqual(a, b)
}

func ordered(symbol string, a, b any) (bool, error) {
	order := 0
	x, isX := number(a)
	y, isY := number(b)
	s, isS := a.(string)
	t, isT := b.(string)
	switch {
	case isX && isY && x < y, isS && isT && s < t:
		order = -1
	case isX && isY && x > y, isS && isT && s > t:
		order = 1
	case isX && isY, isS && isT:
	default:
		return false, fmt.Errorf("%s and %s have no order", kindOf(a), kindOf(b))
	}
	switch symbol {
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case ">":
		return order > 0, nil
	}
	return order >= 0, nil
}

func length(v any) (int, error) {
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v), nil
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	}
	return 0, fmt.Errorf("%s has no length", kindOf(v))
}

func toJSON(v any) (string, error) {
	o, err := orbit.NewObject(v)
	if err != nil {
		return "", err
	}
	text, err := o.MarshalJSON()
	return string(bytes.TrimSpace(text)), err
}

// plainText is a value inside text: a string as it is, all else as JSON.
func plainText(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return toJSON(v)
}

func joined(args []any) (string, error) {
	list, ok := args[0].([]any)
	if !ok {
		return "", fmt.Errorf("argument 1 is %s and not a list", kindOf(args[0]))
	}
	separator := ","
	if len(args) > 1 {
		if separator, ok = args[1].(string); !ok {
			return "", fmt.Errorf("argument 2 is %s and not text", kindOf(args[1]))
		}
	}
	parts := make([]string, len(list))
	for i, e := range list {
		text, err := plainText(e)
		if err != nil {
			return "", err
		}
		parts[i] = text
	}
	return strings.Join(parts, separator), nil
}

// format puts arguments into {0}, {1} …; {{ and }} are braces. What is put in is not read again.
func format(pattern string, args []any) (string, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch {
		case strings.HasPrefix(pattern[i:], "{{"), strings.HasPrefix(pattern[i:], "}}"):
			b.WriteByte(pattern[i])
			i++
		case pattern[i] == '{':
			end := strings.IndexByte(pattern[i:], '}')
			if end < 0 {
				return "", fmt.Errorf("a { is not closed")
			}
			n, err := strconv.Atoi(pattern[i+1 : i+end])
			if err != nil || n < 0 || n >= len(args) {
				return "", fmt.Errorf("{%s} is none of the %d arguments", pattern[i+1:i+end], len(args))
			}
			text, err := plainText(args[n])
			if err != nil {
				return "", err
			}
			b.WriteString(text)
			i += end
		default:
			b.WriteByte(pattern[i])
		}
	}
	return b.String(), nil
}
