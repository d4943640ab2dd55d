#!/bin/sh
# Start a Slurm of one node on loopback, from Debian's packages slurmctld, slurmd, slurm-client and munge.
#   one_node.sh start FOLDER    prints the place of its slurm.conf, for the variable SLURM_CONF
#   one_node.sh stop FOLDER
# Jobs do not get the variable, so the file is linked to where Slurm looks for it; a Slurm that is
# set up already is left alone. It has no accounting and no cgroups, so that it runs in a container; memory is watched by slurmd.
set -eu
place=$2
known=/etc/slurm/slurm.conf

start() {
    for program in slurmctld slurmd munged sbatch; do
        command -v "$program" >/dev/null || { echo "one_node.sh: $program is missing" >&2; exit 1; }
    done
    if [ -e "$known" ] && [ ! -L "$known" ]; then
        echo "one_node.sh: a Slurm is set up here, $known" >&2
        exit 1
    fi
    mkdir -p "$(dirname "$known")" "$place/state" "$place/spool" "$place/munge"
    chmod 755 "$place"
    chmod 700 "$place/munge"
    dd if=/dev/urandom of="$place/munge/key" bs=1 count=1024 2>/dev/null
    chmod 400 "$place/munge/key"
    munged --force --socket="$place/munge/socket" --key-file="$place/munge/key" \
        --pid-file="$place/munge/pid" --log-file="$place/munge/log" --seed-file="$place/munge/seed"
    host=$(hostname -s)
    cat >"$place/slurm.conf" <<END
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$place/munge/socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
SlurmctldLogFile=$place/slurmctld.log
SlurmdLogFile=$place/slurmd.log
SlurmctldPort=${SLURM_TEST_PORT:-16817}
SlurmdPort=$((${SLURM_TEST_PORT:-16817} + 1))
MinJobAge=300
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=${SLURM_TEST_MEMORY:-6000}
PartitionName=small Nodes=$host Default=YES MaxTime=60 State=UP
END
    ln -sf "$place/slurm.conf" "$known"
    export SLURM_CONF="$place/slurm.conf"
    slurmctld -f "$SLURM_CONF"
    slurmd -f "$SLURM_CONF"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        sinfo --noheader --format=%t 2>/dev/null | grep -q '^idle' && { echo "$SLURM_CONF"; return; }
        sleep 1
    done
    echo "one_node.sh: the node is not idle after ten seconds, see $place/*.log" >&2
    exit 1
}

stop() {
    [ "$(readlink "$known")" = "$place/slurm.conf" ] && rm "$known"
    for daemon in slurmd slurmctld munge/; do
        file="$place/${daemon}.pid"
        [ "$daemon" = munge/ ] && file="$place/munge/pid"
        [ -f "$file" ] && kill "$(cat "$file")" 2>/dev/null || true
    done
}

"$1"
