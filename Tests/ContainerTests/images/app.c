/* An app that listens on 127.0.0.1:8000 only and answers every request with a greeting, `delay` milliseconds later:
 *
 *     app [DELAY]
 *
 * It serves every connection in a process of its own, for one request. SIGTERM ends it with exit code 7, so that the
 * tests can tell whose exit code a container has. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";

static void end(int signal_number) {
  (void)signal_number;
  _exit(7);
}

static void serve(int connection, int delay) {
  char request[4096];
  size_t length = 0;
  while (length < sizeof request - 1) {
    ssize_t count = read(connection, request + length, sizeof request - 1 - length);
    if (count <= 0) return;
    length += (size_t)count;
    request[length] = 0;
    if (strstr(request, "\r\n\r\n")) break;
  }
  usleep((useconds_t)delay * 1000);
  if (write(connection, answer, sizeof answer - 1) < 0) return;
}

int main(int count, char **arguments) {
  int delay = count > 1 ? atoi(arguments[1]) : 0;
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8000)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1024) != 0) return 1;
  signal(SIGTERM, end);
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    int connection = accept(listener, NULL, NULL);
    if (connection < 0) continue;
    if (fork() == 0) {
      signal(SIGTERM, SIG_DFL);
      close(listener);
      serve(connection, delay);
      _exit(0);
    }
    close(connection);
  }
}
