//go:build faults

package sqlite

import (
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/liaison-office/liaison/internal/fault/disk"
	"github.com/liaison-office/liaison/internal/fault/diskvfs"
)

// below is the file system that stores are written to: one that fails when a
// campaign says so.
func below() vfs.VFS { return diskvfs.New(vfs.Find(""), disk.OfProgram) }
