# For the scripts that install: collect what is missing with `need`, then say it and get it with `install_needed`.
# Sourced, not run.

packages=()
reasons=()

# need PACKAGE REASON
need() {
    packages+=("$1")
    reasons+=("$1 ($2)")
}

# Whether this machine can run a private PostgreSQL: the server's programs, not only its client.
has_server_programs() {
    local dir
    for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql*; do
        if [[ -x $dir/postgres && -x $dir/initdb ]]; then return 0; fi
    done
    command -v initdb >/dev/null
}

install_needed() {
    if [[ ${#packages[@]} -eq 0 ]]; then return; fi
    local list
    list=$(printf ', %s' "${reasons[@]}")
    if ! command -v apt-get >/dev/null; then
        echo "Missing here: ${list:2}." >&2
        echo "This is no Debian, so install them by hand under the names your system gives them, then run this again." >&2
        exit 1
    fi
    echo "Installing from the system's packages: ${list:2}."
    local root=()
    if [[ $(id -u) != 0 ]]; then
        if ! command -v sudo >/dev/null; then
            echo "That needs root. Run as root: apt-get install ${packages[*]}" >&2
            exit 1
        fi
        root=(sudo)
    fi
    if ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; then
        "${root[@]}" apt-get update -qq
    fi
    without_system_cluster
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends)
    # Lists that are older than the archive name files that are gone; fresh ones help.
    "${root[@]}" "${apt[@]}" "${packages[@]}" >/dev/null ||
        { "${root[@]}" apt-get update -qq && "${root[@]}" "${apt[@]}" "${packages[@]}" >/dev/null; }
}

# Debian's package would make and start a cluster for the whole system, which nobody asked for.
without_system_cluster() {
    local settings=/etc/postgresql-common/createcluster.conf
    if [[ " ${packages[*]} " != *" postgresql "* || -e $settings ]]; then return; fi
    echo "No system-wide database is set up along with PostgreSQL (create_main_cluster = false in $settings)."
    "${root[@]}" mkdir -p "${settings%/*}"
    echo "create_main_cluster = false" | "${root[@]}" tee "$settings" >/dev/null
}
