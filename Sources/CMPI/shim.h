// What `mpi.h` defines as macros over casts, which Swift cannot import, as functions.
#pragma once
#include <mpi.h>

static inline MPI_Comm dtrain_mpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm dtrain_mpi_comm_null(void) { return MPI_COMM_NULL; }
static inline MPI_Datatype dtrain_mpi_byte(void) { return MPI_BYTE; }
static inline MPI_Datatype dtrain_mpi_float(void) { return MPI_FLOAT; }
static inline MPI_Op dtrain_mpi_sum(void) { return MPI_SUM; }
static inline MPI_Request dtrain_mpi_request_null(void) { return MPI_REQUEST_NULL; }
static inline MPI_Errhandler dtrain_mpi_errors_return(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Status *dtrain_mpi_status_ignore(void) { return MPI_STATUS_IGNORE; }
static inline void *dtrain_mpi_in_place(void) { return MPI_IN_PLACE; }
