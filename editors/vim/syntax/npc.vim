" Policies of npc. A name may be any word, a keyword too: what follows a word that names things is a name.
if exists('b:current_syntax')
  finish
endif

syntax case match
syntax iskeyword @,48-57,_,-,.,/

syntax keyword npcDeclaration cluster include nextgroup=npcDeclaration skipwhite
syntax keyword npcDeclaration policy nextgroup=npcName skipwhite
syntax keyword npcDeclaration set service nextgroup=npcDefinition skipwhite
syntax keyword npcAction allow deny pass isolate
syntax keyword npcKeyword for tier admin baseline priority only ingress egress from to except log until not
syntax keyword npcKeyword in nextgroup=npcNamespace,npcPeer,npcNamed,npcList skipwhite
syntax keyword npcKeyword as nextgroup=npcLabel skipwhite
syntax keyword npcKeyword labels annotations nextgroup=npcSelector skipwhite
syntax keyword npcPeer pods ns nodes nextgroup=npcSelector skipwhite
syntax keyword npcPeer svc any
syntax keyword npcProtocol tcp udp sctp icmp icmpv6

syntax match npcName "[A-Za-z0-9][A-Za-z0-9_.-]*" contained
syntax match npcDefinition "[A-Za-z0-9_][A-Za-z0-9_.-]*\ze\s*=" contained
syntax match npcNamespace "\%(ns\>\)\@!(\@![A-Za-z0-9][A-Za-z0-9_.-]*" contained
syntax match npcLabel "[A-Za-z0-9][A-Za-z0-9_.-]*" contained
syntax match npcReference "@[A-Za-z0-9_.-]\+"
syntax match npcNamed "\<\%(ns\|svc\)/[A-Za-z0-9][A-Za-z0-9_.-]*" contains=npcNamedKind
syntax match npcNamedKind "\<\%(ns\|svc\)\ze/" contained
syntax match npcPort "\<\%(tcp\|udp\|sctp\|icmp\|icmpv6\|any\)/[A-Za-z0-9-]\+" contains=npcPortProtocol
syntax match npcPortProtocol "\<\%(tcp\|udp\|sctp\|icmp\|icmpv6\|any\)\ze/" contained
syntax match npcDate "\<\d\{4}-\d\d-\d\d\>"
syntax match npcNumber "\<\d\+\>"
syntax match npcAddress "\<\d\{1,3}\%(\.\d\{1,3}\)\{3}\%(/\d\{1,3}\)\?"
syntax match npcAddress "\%([[:alnum:]_./-]\)\@1<!\x*:[[:xdigit:]:.]*:[[:xdigit:]:.]*\%(/\d\{1,3}\)\?"

syntax region npcSelector matchgroup=npcBracket start="(" end=")" contained
      \ contains=npcComment,npcString,npcOperator,npcList,npcKey,npcValue
syntax region npcList matchgroup=npcBracket start="(" end=")" contained
      \ contains=npcComment,npcString,npcItem
syntax match npcKey "[A-Za-z0-9][A-Za-z0-9_./-]*" contained
syntax match npcOperator "\<\%(not\s\+\)\?in\>\ze\s*(" contained nextgroup=npcList skipwhite
syntax match npcOperator "!" contained
syntax match npcItem "[A-Za-z0-9][A-Za-z0-9_.-]*" contained
syntax match npcValue "=\s*\zs[A-Za-z0-9][A-Za-z0-9_.-]*" contained

syntax region npcString start=+"+ skip=+\\.+ end=+"+ contains=npcEscape
syntax match npcEscape "\\." contained
syntax match npcComment "#.*$" contains=@Spell

highlight default link npcDeclaration Keyword
highlight default link npcAction Statement
highlight default link npcKeyword Keyword
highlight default link npcOperator Operator
highlight default link npcPeer Type
highlight default link npcNamedKind Type
highlight default link npcProtocol Type
highlight default link npcPortProtocol Type
highlight default link npcName Function
highlight default link npcDefinition Identifier
highlight default link npcReference Identifier
highlight default link npcNamespace Identifier
highlight default link npcNamed Identifier
highlight default link npcLabel Tag
highlight default link npcKey Tag
highlight default link npcValue String
highlight default link npcItem String
highlight default link npcPort Number
highlight default link npcDate Number
highlight default link npcNumber Number
highlight default link npcAddress Number
highlight default link npcString String
highlight default link npcEscape SpecialChar
highlight default link npcComment Comment

let b:current_syntax = 'npc'
