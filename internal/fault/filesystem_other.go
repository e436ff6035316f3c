//go:build !unix

package fault

import "errors"

func otherFileSystem(string, string) (bool, error) {
	return false, errors.New("file systems cannot be told apart here")
}
