package handlers

import (
	"slices"
	"strings"
)

// DiffLine is a line of a text against another one: in both, only in the new one, or only in the old one.
type DiffLine struct {
	Text       string
	Only, Gone bool
}

// diffLimit keeps the table of diffLines small: two texts of so many lines each that differ throughout.
const diffLimit = 2000

// diffLines compares two texts line by line by their longest common subsequence. Only marks what stands in the new one
// alone, Gone what stands in the old one alone.
func diffLines(old, current string) []DiffLine {
	a, b := strings.Split(old, "\n"), strings.Split(current, "\n")
	var head, tail []DiffLine
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		head = append(head, DiffLine{Text: a[0]})
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		tail = append([]DiffLine{{Text: a[len(a)-1]}}, tail...)
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return append(append(head, middleLines(a, b)...), tail...)
}

func middleLines(a, b []string) (lines []DiffLine) {
	if len(a) > diffLimit || len(b) > diffLimit {
		for _, text := range a {
			lines = append(lines, DiffLine{Text: text, Gone: true})
		}
		for _, text := range b {
			lines = append(lines, DiffLine{Text: text, Only: true})
		}
		return lines
	}
	// common[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i, v := range slices.Backward(a) {
		for j := len(b) - 1; j >= 0; j-- {
			if v == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, DiffLine{Text: a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, DiffLine{Text: a[i], Gone: true})
			i++
		default:
			lines = append(lines, DiffLine{Text: b[j], Only: true})
			j++
		}
	}
	return lines
}
