# Made from src/toolkit/programs.rs by tests/toolkit/docs.rs.
complete -c otr_parse -f
complete -c otr_parse -s a -l all -d 'join fragments, and show queries, whitespace tags and error messages too'
complete -c otr_parse -s j -l json -d 'write one JSON object a line'
complete -c otr_parse -s k -l key -x -d 'verify and decrypt data messages with this AES key (32 hexadecimal digits), or verify them with this MAC key (40); may be given several times'
complete -c otr_parse -l color -x -a 'auto always never' -d 'use colours: auto, the default, does so on a terminal'
complete -c otr_parse -s h -l help -d 'show this help and exit'
complete -c otr_parse -s V -l version -d 'show the version and exit'
