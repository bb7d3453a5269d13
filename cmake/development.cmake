# How our own programs are compiled; consumers see nothing of this.

add_library(tessera_strict INTERFACE)
target_compile_options(tessera_strict INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
# g++ looks for garbage too often: an eighth of its time, for memory that is there.
target_compile_options(tessera_strict INTERFACE
                       $<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-expand=100 --param=ggc-min-heapsize=1000000>)

# tessera_compile_for(<target> <isa>): what is linked together must be compiled for the same instruction set
function(tessera_compile_for target isa)
  if(isa STREQUAL "avx2")
    target_compile_options(${target} PRIVATE -mavx2 -mfma -mf16c)
  elseif(isa STREQUAL "avx")
    target_compile_options(${target} PRIVATE -mavx)
  elseif(NOT isa STREQUAL "sse2" AND TESSERA_NATIVE)
    target_compile_options(${target} PRIVATE -march=native)
  endif()
endfunction()

# tessera_program(<target> [ISA <native|avx2|avx|sse2>] SOURCES <file>... [LINK <target>...]): one of our own executables
function(tessera_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ISA" "SOURCES;LINK")
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_LINK} tessera_strict)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  if("Eigen3::Eigen" IN_LIST arg_LINK AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # Eigen uses intrinsics that this compiler's own header writes with an uninitialised variable (GCC bug 105593).
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -Wno-uninitialized)
  endif()
  tessera_compile_for(${target} "${arg_ISA}")
endfunction()

# The kernels for programs that are compiled for an instruction set, once for all of them. Sanitizers of memory are for what reads files,
# and the folder of the kernels compiles them itself; that of threads sees no race in code that it has not compiled.
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
set(tessera_kernel_options -fno-sanitize=all)
if("${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type}}" MATCHES "-fsanitize=[a-z,]*thread")
  set(tessera_kernel_options "")
endif()
foreach(isa IN ITEMS native avx2 sse2)
  set(kernels tessera_${isa}_kernels)
  add_library(${kernels} STATIC EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/include/tessera/kernel/kernels.cpp)
  target_link_libraries(${kernels} PUBLIC tessera::tessera PRIVATE tessera_strict)
  target_compile_definitions(${kernels} PUBLIC TESSERA_COMPILED_KERNELS)
  target_compile_options(${kernels} PRIVATE ${tessera_kernel_options})
  set_target_properties(${kernels} PROPERTIES CXX_EXTENSIONS OFF)
  tessera_compile_for(${kernels} ${isa})
endforeach()
