# cmake -DOUTPUT=… -DDIRECTORY=… -P embed_migrations.cmake
# Writes the C++ source that holds every migrations/*.sql, in order, for migrations.h.
file(GLOB files ${DIRECTORY}/*.sql)
list(SORT files)
set(entries "")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  if(NOT name MATCHES "^0*([1-9][0-9]*)_[a-z0-9_]+$")
    message(FATAL_ERROR "${file}: a migration is named NNNN_what_it_does.sql")
  endif()
  set(number ${CMAKE_MATCH_1})
  file(READ ${file} sql)
  # Compilers limit one literal to 64 KiB.
  string(LENGTH "${sql}" length)
  if(length GREATER 60000)
    message(FATAL_ERROR "${file}: split it, a migration has at most 60000 bytes")
  endif()
  string(APPEND entries "    {${number}, \"${name}\", R\"SQL(${sql})SQL\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"lib/store/migrations.h\"

namespace tasker::store {
namespace {

constexpr Migration kMigrations[] = {
${entries}};

}  // namespace

std::span<const Migration> EmbeddedMigrations() { return kMigrations; }

}  // namespace tasker::store
")
