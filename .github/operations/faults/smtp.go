//go:build ignore

// Command smtp listens on a port of this machine: `smtp hang PORT` takes connections and says nothing, `smtp take PORT` takes
// mail and writes a line with the recipient of each.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "smtp:", err)
		os.Exit(1)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	fmt.Println("port", port)
	for {
		conn, err := listener.Accept()
		if err != nil {
			os.Exit(1)
		}
		if os.Args[1] == "take" {
			go take(conn)
		}
	}
}

func take(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<20)
	to, inMail := "", false
	fmt.Fprint(conn, "220 trial\r\n")
	for lines.Scan() {
		line := lines.Text()
		verb := strings.ToUpper(line)
		switch {
		case inMail && line == ".":
			inMail = false
			fmt.Println("mail", to)
			fmt.Fprint(conn, "250 taken\r\n")
		case inMail:
		case verb == "DATA":
			inMail = true
			fmt.Fprint(conn, "354 go on\r\n")
		case verb == "QUIT":
			fmt.Fprint(conn, "221 bye\r\n")
			return
		case strings.HasPrefix(verb, "RCPT TO:"):
			to = strings.Trim(strings.Fields(line[len("RCPT TO:"):])[0], "<>")
			fmt.Fprint(conn, "250 ok\r\n")
		default:
			fmt.Fprint(conn, "250 ok\r\n")
		}
	}
}
