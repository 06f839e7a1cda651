# Made from src/toolkit/programs.rs by tests/toolkit/docs.rs.
complete -c otr_modify -f
complete -c otr_modify -s h -l help -d 'show this help and exit'
complete -c otr_modify -s V -l version -d 'show the version and exit'
