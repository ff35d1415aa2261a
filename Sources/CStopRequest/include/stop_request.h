#pragma once

/// From now on SIGTERM, SIGINT and SIGUSR1 only note that the run is asked to stop; a second SIGINT ends the process at
/// once with code 130. A signal that the parent had ignored (nohup) stays ignored. Returns 0 or -1, as errno says.
int dtrain_stop_request_install(void);

/// Whether such a signal has come.
int dtrain_stop_request_is_set(void);

/// From now on SIGCONT is noted as well. Returns 0 or -1, as errno says.
int dtrain_continue_request_install(void);

/// Whether SIGCONT has come.
int dtrain_continue_request_is_set(void);
