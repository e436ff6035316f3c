//go:build !faults

package sqlite

import "github.com/ncruces/go-sqlite3/vfs"

// below is the file system that stores are written to.
func below() vfs.VFS { return vfs.Find("") }
