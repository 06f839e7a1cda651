# Made from src/toolkit/programs.rs by tests/toolkit/docs.rs.
complete -c otr_remac -f
complete -c otr_remac -s h -l help -d 'show this help and exit'
complete -c otr_remac -s V -l version -d 'show the version and exit'
