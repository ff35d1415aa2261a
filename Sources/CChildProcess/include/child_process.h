#pragma once
#include <sys/types.h>

/// Starts a program, found on PATH: in a process group of its own, which a terminal's Ctrl-C does not reach, with nothing
/// to read, no signal blocked or ignored for this process's sake, and `errors` as its standard error. Where the system
/// can, it gets SIGTERM when the calling thread ends in whatever way.
///
/// `arguments` ends with NULL and begins with the program. `environment` ends with NULL too, or is NULL: this process's.
/// `output` becomes its standard output; -1: this process's. Returns the process, or -1 with what errno says.
pid_t dtrain_child_start(char *const arguments[], char **environment, int output, int errors);
