// What `mpi.h` defines as macros over casts, which Swift cannot import, as functions.
#pragma once
#include <mpi.h>

static inline MPI_Comm dtrain_mpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype dtrain_mpi_byte(void) { return MPI_BYTE; }
static inline MPI_Datatype dtrain_mpi_float(void) { return MPI_FLOAT; }
static inline MPI_Op dtrain_mpi_sum(void) { return MPI_SUM; }
static inline MPI_Info dtrain_mpi_info_null(void) { return MPI_INFO_NULL; }
static inline void *dtrain_mpi_in_place(void) { return MPI_IN_PLACE; }
static inline MPI_Errhandler dtrain_mpi_errors_return(void) { return MPI_ERRORS_RETURN; }

#ifdef __linux__
// Likewise of `sys/mman.h`. Returns a file, or -1.
int dtrain_memfd_create(const char *name, unsigned flags) __asm__("memfd_create");
enum { dtrain_memfd_close_on_exec = 1 };
// `sched.h` shows it only to those who define _GNU_SOURCE, which Swift's import does not. Returns 0 or -1.
int dtrain_sched_getaffinity(int pid, unsigned long size, void *mask) __asm__("sched_getaffinity");
#endif
