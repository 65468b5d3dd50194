//go:build ignore

// Command lock holds the write lock of a SQLite database, as a stuck process would, until it is ended.
package main

import (
	"database/sql"
	"fmt"
	"os"

	_ "github.com/mattn/go-sqlite3"
)

func main() {
	db, err := sql.Open("sqlite3", "file:"+os.Args[1]+"?_txlock=exclusive")
	if err == nil {
		_, err = db.Begin()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lock:", err)
		os.Exit(1)
	}
	fmt.Println("locked")
	select {}
}
