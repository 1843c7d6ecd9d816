# Completion of shifter for bash. Made by: shifter completion bash
_shifter() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local verb= socket= words= colors= word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --socket) socket=${COMP_WORDS[++i]} ;;
      --reason|--if-epoch|--confirm) ((++i)) ;;
      -*|=) ;;
      *) [ -n "$verb" ] || verb=$word ;;
    esac
  done
  if [ "$previous" = --socket ]; then
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  if [[ $current == -* ]]; then
    words="--socket --json --wait --wait-lock --dry-run --reason --if-epoch --confirm --no-input --no-color --help"
  elif [ -z "$verb" ]; then
    words="status watch weights ready maint drain hold scale canary switch rollback pause resume promote abort lock unlock history explain simulate inflight connections routes config audit actions events reload agent doctor policy help completion man"
  else
    colors=$(shifter ${socket:+--socket "$socket"} status --json 2>/dev/null |
      sed -n 's/.*"colors":\({"[^"]*":{"state".*\),"no_color":.*/\1/p' |
      grep -o '"[^"]*":{"state"' | cut -d'"' -f2)
    [ "$verb" = weights ] && colors=$(printf '%s=\n' $colors)
    case $verb in
      weights) words="$colors" ;;
      ready) words="$colors" ;;
      maint) words="last=yes $colors" ;;
      drain) words="deadline= wait= quiet= force=yes last=yes $colors" ;;
      hold) words="on off max= timeout=" ;;
      scale) words="auto freeze for=" ;;
      canary) words="steps= schema= label= image= deploy=no aa=yes replace=yes accept-weak=yes $colors" ;;
      switch) words="schema= label= image= deploy=no bake=no $colors" ;;
      rollback) words="force=yes old-code-breaks=yes" ;;
      resume) words="accept-no-evidence=yes" ;;
      promote) words="full=yes" ;;
      abort) words="force=yes old-code-breaks=yes" ;;
      unlock) words="force=yes" ;;
      simulate) words="color= worse= runs=" ;;
      inflight) words="$colors" ;;
      events) words="follow" ;;
      doctor) words="config= compose= policy=" ;;
      policy) words="check" ;;
      help) words="status watch weights ready maint drain hold scale canary switch rollback pause resume promote abort lock unlock history explain simulate inflight connections routes config audit actions events reload agent doctor policy help completion man" ;;
      completion) words="bash zsh" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ ${COMPREPLY-} == *= ]] && compopt -o nospace
}
complete -F _shifter shifter
