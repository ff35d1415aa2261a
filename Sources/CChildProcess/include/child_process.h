#pragma once
#include <sys/types.h>

/// Starts a program, found on PATH, with this process's environment: in a process group of its own, which a terminal's
/// Ctrl-C does not reach, with nothing to read, no signal blocked or ignored for this process's sake, `errors` as its
/// standard error and `output` as its standard output, which it shares with this process where that is -1. Where the system can, it gets SIGTERM when the calling thread ends in whatever way.
///
/// `arguments` ends with NULL and begins with the program. Returns the process, or -1 with what errno says.
pid_t dtrain_child_start(char *const arguments[], int output, int errors);
