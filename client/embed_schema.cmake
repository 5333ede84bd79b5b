# cmake -DIN=template.schema.json -DOUT=file.cc -P embed_schema.cmake: writes the file's text as a C++ string literal.
file(READ "${IN}" text)
file(WRITE "${OUT}" "#include \"client/template_schema.h\"

namespace tasker::client {

std::string_view TemplateSchemaText() {
  return R\"json(${text})json\";
}

}  // namespace tasker::client
")
