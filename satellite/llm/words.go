package llm

import "strings"

const thinkOpen, thinkClose = "<think>", "</think>"

// words is the answer without its reasoning, which models of the R1 family write between <think> and </think>. Their
// template may open the tag before they begin, so that only its end comes. An answer that is nothing but reasoning is empty.
func (a *answer) words() string {
	text := strings.TrimSpace(a.text)
	if before, after, ended := strings.Cut(text, thinkClose); ended && !a.thought && !strings.Contains(before, thinkOpen) {
		text = strings.TrimSpace(after)
	}
	for strings.HasPrefix(text, thinkOpen) {
		_, after, ended := strings.Cut(text, thinkClose)
		if !ended {
			return ""
		}
		text = strings.TrimSpace(after)
	}
	return text
}

// unfenced takes JSON out of what models like to put around it: a fence of backticks, a sentence before and after.
func unfenced(text string) string {
	if _, after, ok := strings.Cut(text, "```"); ok {
		if word, rest, ok := strings.Cut(after, "\n"); ok && !strings.ContainsAny(word, "{[") {
			after = rest
		}
		if inside, _, ok := strings.Cut(after, "```"); ok && strings.HasPrefix(strings.TrimSpace(inside), "{") {
			return strings.TrimSpace(inside)
		}
	}
	from, to := strings.IndexByte(text, '{'), strings.LastIndexByte(text, '}')
	if from >= 0 && to > from {
		return text[from : to+1]
	}
	return text
}
