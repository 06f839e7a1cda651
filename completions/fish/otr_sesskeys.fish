# Made from src/toolkit/programs.rs by tests/toolkit/docs.rs.
complete -c otr_sesskeys -f
complete -c otr_sesskeys -s h -l help -d 'show this help and exit'
complete -c otr_sesskeys -s V -l version -d 'show the version and exit'
