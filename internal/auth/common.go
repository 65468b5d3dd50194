package auth

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// The lengths of a password in characters. Nothing else is asked of it but that it cannot be guessed.
const (
	MinPassword = 12
	MaxPassword = 256
)

// commonPasswords are those of the best known breaches, in lower case, a line each, from four characters on
// (@zxcvbn-ts/language-common 4.1.3, MIT; see common/LICENSE.txt).
//
//go:embed common/passwords.txt.gz
var commonPasswords []byte

var common = sync.OnceValue(func() string {
	unpacked, err := gzip.NewReader(bytes.NewReader(commonPasswords))
	if err != nil {
		panic(err) // part of the program
	}
	list, err := io.ReadAll(unpacked)
	if err != nil {
		panic(err)
	}
	return "\n" + string(list)
})

func isCommon(word string) bool { return strings.Contains(common(), "\n"+word+"\n") }

// Guessable reports whether a password is one of the first that others would try: a common one, also dressed up with
// digits and signs, said twice or counted up; or one made of names, which are the person's, their address or the site's.
func Guessable(password string, names ...string) bool {
	plain := strings.ToLower(password)
	if isCommon(plain) || repeats(plain) || countsUp(plain) || dressedUp(plain) {
		return true
	}
	// What is left of it without the names, and without what stands in every list.
	rest := plain
	for _, name := range names {
		for word := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if utf8.RuneCountInString(word) >= 3 {
				rest = strings.ReplaceAll(rest, word, "")
			}
		}
	}
	if rest == plain {
		return false
	}
	core := strings.TrimFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
	return utf8.RuneCountInString(rest) < 6 || isCommon(rest) || isCommon(core) && utf8.RuneCountInString(rest) < MinPassword
}

// repeats reports whether text is one piece, of up to half of it, again and again.
func repeats(text string) bool {
	runes := []rune(text)
	for size := 1; size <= len(runes)/2; size++ {
		same := true
		for i := size; i < len(runes) && same; i++ {
			same = runes[i] == runes[i-size]
		}
		if same && (size <= 4 || isCommon(string(runes[:size]))) {
			return true
		}
	}
	return false
}

// countsUp reports whether every character follows the one before, up or down, with a few jumps as from 9 to 0.
func countsUp(text string) bool {
	runes := []rune(text)
	jumps := 0
	for i := 1; i < len(runes); i++ {
		if step := runes[i] - runes[i-1]; step < -1 || step > 1 {
			jumps++
		}
	}
	return jumps <= len(runes)/6
}

// letters are signs that stand for letters.
var letters = strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t")

// dressedUp reports whether text is one common word with common or short numbers and signs around it.
func dressedUp(text string) bool {
	runes := []rune(text)
	first, last := -1, -1
	for i, r := range runes {
		if unicode.IsLetter(r) {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return false
	}
	trimming := func(around []rune) bool {
		number := strings.TrimFunc(string(around), func(r rune) bool { return !unicode.IsDigit(r) })
		return len(around) <= 4 || len(around)-len(number) <= 3 && (len(number) <= 4 || isCommon(number))
	}
	word := string(runes[first : last+1])
	return trimming(runes[:first]) && trimming(runes[last+1:]) && (isCommon(word) || isCommon(letters.Replace(word)))
}
