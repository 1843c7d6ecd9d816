// f29svc: wiring only. The verbs are in cli/ and api/.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "f29svc/cli/commands.h"
#include "f29svc/serve.h"

namespace {

void add_source(CLI::App& verb, f29::Arguments& given) {
  verb.add_option("--company", given.company, "RUT of the company, 99999001-0");
  verb.add_option("--name", given.name, "its name, for exports");
  verb.add_option("--period", given.period, "month, 2026-06");
  verb.add_option("--rcv", given.rcv, "register files, or folders with RCV_*.csv");
  verb.add_option("--documents", given.documents, "JSON list of the books' documents");
  verb.add_option("--inputs", given.inputs, "inputs.yaml: what the books cannot give");
  verb.add_option("--mapping", given.mapping, "YAML with mapping and holidays");
  verb.add_option("--propuesta", given.propuesta, "campos JSON to compare with");
  verb.add_flag("--json", given.json, "print JSON");
}

void add_return(CLI::App& verb, f29::Arguments& given) {
  verb.add_option("--return", given.from, "an exported return, instead of computing one");
  verb.add_option("--from", given.from_format, "its format: json, campos, csv, xml");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"f29svc: from the books and the register to a checked F29", "f29svc"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "f29svc 0.1.0");
  f29::Arguments given;
  given.is_terminal = isatty(STDERR_FILENO) != 0;
  int code = f29::kDone;
  using Command = int (*)(const f29::Arguments&, std::ostream&, std::ostream&);
  auto add = [&](const char* name, const char* help, Command command) {
    CLI::App* verb = app.add_subcommand(name, help);
    add_source(*verb, given);
    verb->callback([&, command] { code = command(given, std::cout, std::cerr); });
    return verb;
  };
  CLI::App* compute = add("compute", "compute a return from files", f29::compute_command);
  compute->add_option("--output", given.output, "write to a file");
  add("import", "read and check files", f29::import_command);
  CLI::App* validate = add("validate", "check a return", f29::validate_command);
  add_return(*validate, given);
  validate->add_option("--iva-debito", given.iva_debito, "debit that the books claim");
  validate->add_option("--iva-credito", given.iva_credito, "credit that the books claim, no 504");
  CLI::App* exported = add("export", "write a return in another format", f29::export_command);
  add_return(*exported, given);
  exported->add_option("--format", given.format, "json, campos, csv or xml");
  exported->add_option("--output", given.output, "write to a file");
  CLI::App* sheet = add("sheet", "print the boxes by line, for typing", f29::sheet_command);
  add_return(*sheet, given);
  sheet->add_option("--output", given.output, "write to a file");
  CLI::App* reconcile = add("reconcile", "compare books and register", f29::reconcile_command);
  reconcile->add_option("--output", given.output, "write to a file");
  std::string config;
  CLI::App* serve = app.add_subcommand("serve", "serve the API until SIGTERM");
  serve->add_option("--config", config, "conf/f29svc.yaml")->required();
  serve->callback([&] { code = f29::serve_command(config, std::cerr); });
  std::string key_name;
  CLI::App* new_key = app.add_subcommand("new-key", "make a key for the API");
  new_key->add_option("name", key_name, "who will use it")->required();
  new_key->callback([&] { code = f29::new_key_command(key_name, std::cout, std::cerr); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? f29::kDone : f29::kFaultyInput;
  }
  std::cout.flush();
  return std::cout ? code : f29::kFaultyInput;
}
