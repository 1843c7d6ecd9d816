#include "shifter/cli/completion.h"

#include "shifter/cli/verbs.h"

namespace cli {
namespace {

// The daemon is asked for the names of its colors; without it there are none.
constexpr std::string_view kColors =
    R"(colors=$(shifter ${socket:+--socket "$socket"} status --json 2>/dev/null |
      sed -n 's/.*"colors":\({"[^"]*":{"state".*\),"no_color":.*/\1/p' |
      grep -o '"[^"]*":{"state"' | cut -d'"' -f2))";

std::string all_verbs() {
  std::string words;
  for (const VerbSpec& verb : verb_table()) {
    words += (words.empty() ? "" : " ") + std::string(verb.name);
  }
  return words;
}

std::string all_options() {
  std::string words;
  for (const OptionSpec& option : option_table()) {
    words += (words.empty() ? "" : " ") + std::string(option.name);
  }
  return words;
}

// Inside single quotes of a shell, where zsh also reads : and [ ].
std::string described(std::string_view text) {
  std::string clean;
  for (char c : text) {
    if (c == '\'') {
      clean += "'\\''";
    } else {
      if (c == ':' || c == '[' || c == ']') clean += '\\';
      clean += c;
    }
  }
  return clean;
}

// The words that a verb takes, as branches of a `case` on $verb.
std::string branches(std::string_view name) {
  std::string text;
  for (const VerbSpec& verb : verb_table()) {
    if (verb.words.empty() && !verb.takes_colors && verb.name != "help") continue;
    std::string words(verb.name == "help" ? all_verbs() : std::string(verb.words));
    if (verb.takes_colors) {
      words += (words.empty() ? "$colors" : " $colors");
    }
    text +=
        "      " + std::string(verb.name) + ") " + std::string(name) + "=\"" + words + "\" ;;\n";
  }
  return text;
}

// In roff a leading dot or quote is a command and a hyphen is not a minus.
std::string roff(std::string_view text) {
  std::string clean;
  if (!text.empty() && (text.front() == '.' || text.front() == '\'')) clean += "\\&";
  for (char c : text) {
    if (c == '\\') {
      clean += "\\e";
    } else if (c == '-') {
      clean += "\\-";
    } else {
      clean += c;
    }
  }
  return clean;
}

}  // namespace

std::string bash_completion() {
  std::string text = R"(# Completion of shifter for bash. Made by: shifter completion bash
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
)";
  text += "  if [[ $current == -* ]]; then\n    words=\"" + all_options() + "\"\n";
  text += "  elif [ -z \"$verb\" ]; then\n    words=\"" + all_verbs() + "\"\n  else\n    ";
  text += std::string(kColors) + "\n";
  text += "    [ \"$verb\" = weights ] && colors=$(printf '%s=\\n' $colors)\n";
  text += "    case $verb in\n";
  text += branches("words");
  text += R"(    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ ${COMPREPLY-} == *= ]] && compopt -o nospace
}
complete -F _shifter shifter
)";
  return text;
}

std::string zsh_completion() {
  std::string text =
      "#compdef shifter\n# Completion of shifter for zsh. Made by: shifter completion "
      "zsh\n_shifter() {\n  local verb= socket= choices= colors= word i\n  local -a "
      "verbs flags\n  verbs=(\n";
  for (const VerbSpec& verb : verb_table()) {
    text += "    '" + std::string(verb.name) + ":" + described(verb.does) + "'\n";
  }
  text += "  )\n  flags=(\n";
  for (const OptionSpec& option : option_table()) {
    text += "    '" + std::string(option.name) + ":" + described(option.does) + "'\n";
  }
  text += R"zsh(  )
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case $word in
      --socket) socket=$words[++i] ;;
      --reason|--if-epoch|--confirm) ((++i)) ;;
      -*) ;;
      *) [[ -n $verb ]] || verb=$word ;;
    esac
  done
  if [[ $words[CURRENT-1] == --socket ]]; then
    _files
  elif [[ $words[CURRENT] == -* ]]; then
    _describe option flags
  elif [[ -z $verb ]]; then
    _describe verb verbs
  else
    )zsh";
  text += std::string(kColors) + "\n";
  text += "    [[ $verb == weights ]] && colors=$(printf '%s=\\n' ${=colors})\n    case $verb in\n";
  text += branches("choices");
  text += R"zsh(    esac
    compadd -S '' -- ${=choices}
  fi
}
_shifter "$@"
)zsh";
  return text;
}

std::string manual_page() {
  std::string text =
      ".\\\" Made by: shifter man\n.TH SHIFTER 1\n.SH NAME\nshifter \\- operates the "
      "sidecar\n.SH SYNOPSIS\n.B shifter\n[\\fIOPTIONS\\fR] \\fIVERB\\fR "
      "[\\fIARGUMENTS\\fR]\n.SH DESCRIPTION\n"
      "Sends one command to the daemon's admin socket and prints its answer for "
      "people. Messages go to standard error, a pipe gets no control characters.\n"
      ".PP\nA change that can throw users out or send them nowhere asks for the name "
      "of the color first. Without a terminal it ends with 6, unless \\-\\-confirm "
      "names the color.\n.SH VERBS\n";
  for (const VerbSpec& verb : verb_table()) {
    text += ".TP\n.B " + roff(verb.name);
    if (!verb.arguments.empty()) text += " " + roff(verb.arguments);
    text += "\n" + roff(verb.does) + ".\nExit codes: " + codes_text(verb) + ".\n";
    if (verb.waits != WaitsFor::nothing) text += "Takes \\-\\-wait.\n";
  }
  text += ".SH OPTIONS\n";
  for (const OptionSpec& option : option_table()) {
    text += ".TP\n.B " + roff(usage_text(option)) + "\n" + roff(option.does) + "\n";
  }
  text += ".SH EXIT STATUS\n";
  for (const CodeSpec& one : code_table()) {
    text += ".TP\n.B " + std::to_string(one.code) + "\n" + roff(one.means) + "\n";
  }
  text +=
      ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nset to anything: no colors\n"
      ".SH FILES\n.I /run/sidecar/admin.sock\n";
  return text;
}

}  // namespace cli
