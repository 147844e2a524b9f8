" Policies of npc: comments, what a word is, how a block is indented, and :NpcFmt.
if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:# commentstring=#\ %s
setlocal formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=2 softtabstop=2
setlocal iskeyword+=-
setlocal suffixesadd=.npc

command! -buffer NpcFmt call s:Format()

let b:undo_ftplugin = 'setlocal comments< commentstring< formatoptions< expandtab< shiftwidth< softtabstop<'
      \ . ' iskeyword< suffixesadd< | delcommand -buffer NpcFmt'

" The text as `npc fmt` writes it; a text with mistakes stays as it is.
function! s:Format() abort
  let l:view = winsaveview()
  let l:before = getline(1, '$')
  let l:after = systemlist('npc fmt -', l:before)
  if v:shell_error
    echohl ErrorMsg
    for l:line in l:after
      echomsg l:line
    endfor
    echohl None
    return
  endif
  if l:after !=# l:before
    call setline(1, l:after)
    call deletebufline('%', len(l:after) + 1, '$')
  endif
  call winrestview(l:view)
endfunction
