autocmd BufNewFile,BufRead *.npc setfiletype npc
