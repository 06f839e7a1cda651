# Made from src/toolkit/programs.rs by tests/toolkit/docs.rs.
complete -c otr_mackey -f
complete -c otr_mackey -s h -l help -d 'show this help and exit'
complete -c otr_mackey -s V -l version -d 'show the version and exit'
