package scripttest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// natsServer is the command `nats-server ADDR DIR`: an external NATS server with JetStream.
func natsServer() {
	host, text, err := net.SplitHostPort(os.Args[1])
	exitOn(err)
	port, err := strconv.Atoi(text)
	exitOn(err)
	s, err := server.NewServer(&server.Options{ServerName: "external", Host: host, Port: port, JetStream: true, StoreDir: os.Args[2], NoSigs: true})
	exitOn(err)
	s.ConfigureLogger()
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		exitOn(fmt.Errorf("the NATS server is not ready"))
	}
	wait()
	s.Shutdown()
	s.WaitForShutdown()
}

// webhooks is the command `webhooks ADDR`: /answer/CODE answers with a status, /echo/CODE with what
// it was sent, which it logs too, /hang not before the caller has gone.
func webhooks() {
	mux := http.NewServeMux()
	mux.HandleFunc("/answer/{code}", func(w http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.PathValue("code"))
		if err != nil {
			code = http.StatusNotFound
		}
		w.WriteHeader(code)
		fmt.Fprintf(w, "status %d it is", code)
	})
	mux.HandleFunc("/echo/{code}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // half a body is echoed as that
		said := fmt.Sprintf("%s and %s", r.Header.Get("Authorization"), body)
		fmt.Fprintln(os.Stderr, said)
		code, err := strconv.Atoi(r.PathValue("code"))
		if err != nil {
			code = http.StatusNotFound
		}
		w.WriteHeader(code)
		fmt.Fprint(w, "you said ", said)
	})
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	l, err := net.Listen("tcp", os.Args[1])
	exitOn(err)
	go func() { exitOn(http.Serve(l, mux)) }()
	fmt.Fprintln(os.Stderr, "listening")
	wait()
}

func wait() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT)
	<-c
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
