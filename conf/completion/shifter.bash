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
    words="--socket --json --wait --dry-run --reason --if-epoch --confirm --no-input --no-color --help"
  elif [ -z "$verb" ]; then
    words="status watch weights ready maint drain hold scale inflight connections routes config audit actions events reload agent doctor policy help completion man"
  else
    colors=$(shifter ${socket:+--socket "$socket"} status --json 2>/dev/null |
      sed -n 's/.*"colors":{//p' | grep -o '"[^"]*":{"state"' | cut -d'"' -f2)
    [ "$verb" = weights ] && colors=$(printf '%s=\n' $colors)
    case $verb in
      weights) words="$colors" ;;
      ready) words="$colors" ;;
      maint) words="last=yes $colors" ;;
      drain) words="deadline= wait= quiet= force=yes last=yes $colors" ;;
      hold) words="on off max= timeout=" ;;
      scale) words="auto freeze for=" ;;
      inflight) words="$colors" ;;
      events) words="follow" ;;
      doctor) words="config= compose= policy=" ;;
      policy) words="check" ;;
      help) words="status watch weights ready maint drain hold scale inflight connections routes config audit actions events reload agent doctor policy help completion man" ;;
      completion) words="bash zsh" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ ${COMPREPLY-} == *= ]] && compopt -o nospace
}
complete -F _shifter shifter
