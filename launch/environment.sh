# shellcheck shell=sh
# What mpirun needs as root and on few cores, for the current shell:
#
#     . launch/environment.sh
#
# launch/train.sh and launch/test.sh read it. What is already set stays as it is.

# mpirun refuses to run as root unless both say so. No parameter file can say it.
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# More ranks than cores are allowed. Mapped by core, each rank is bound to a core of its own while there are enough,
# and none is bound when there are more ranks than cores.
export OMPI_MCA_rmaps_base_oversubscribe="${OMPI_MCA_rmaps_base_oversubscribe:-1}"
export OMPI_MCA_rmaps_base_mapping_policy="${OMPI_MCA_rmaps_base_mapping_policy:-core}"

# Open MPI 5 has another name for both, and binds no rank then.
export PRTE_MCA_rmaps_default_mapping_policy="${PRTE_MCA_rmaps_default_mapping_policy:-core:oversubscribe}"

# A library that starts one thread a core in every rank would fight the ranks for the cores.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
