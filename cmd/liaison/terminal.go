package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// maxAnswer bounds a line that is typed, a password above all, in bytes.
const maxAnswer = 4096

// errNoTerminal says that nobody is there to answer.
var errNoTerminal = errors.New("standard input is no terminal")

// echo says whether what is typed can be seen.
type echo bool

const (
	shown  echo = true
	hidden echo = false
)

// terminal returns standard input if a person sits at it.
func (a *app) terminal() (*os.File, bool) {
	f, ok := a.in.(*os.File)
	return f, ok && isTerminal(f)
}

// ask prints a question and reads a line.
func (a *app) ask(question string, e echo) (string, error) {
	f, ok := a.terminal()
	if !ok {
		return "", errNoTerminal
	}
	fmt.Fprint(a.err, question, " ")
	if e == hidden {
		restore, err := hideInput(f)
		if err != nil {
			return "", err
		}
		defer func() {
			restore()
			fmt.Fprintln(a.err)
		}()
	}
	return readLine(a.ctx, f)
}

// readLine reads one line of at most maxAnswer bytes and without control
// characters, or returns when ctx ends.
func readLine(ctx context.Context, r io.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() { // ends with the process if nobody answers
		line, err := bufio.NewReader(io.LimitReader(r, maxAnswer+2)).ReadString('\n')
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if err == io.EOF && line != "" {
			err = nil
		}
		if err == nil {
			err = checkLine(line)
		}
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// checkLine says why a line is none that a person typed, or no password that
// a client can send (RFC 7617 §2: no control characters). It does not repeat it.
func checkLine(line string) error {
	switch {
	case len(line) > maxAnswer:
		return fmt.Errorf("the line is longer than %d bytes", maxAnswer)
	case strings.ContainsFunc(line, unicode.IsControl):
		return errors.New("the line holds control characters")
	}
	return nil
}

// passwordFromInput reads a password from the first line of standard input.
func (a *app) passwordFromInput() (string, error) {
	line, err := readLine(a.ctx, a.in)
	if err == io.EOF || err == nil && line == "" {
		err = errors.New("standard input holds no password on its first line")
	}
	return line, err
}
