// The first and only process of the emulated machine: runs the program of /run, says how it ended, switches the machine off.
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

int main() {
    mount("proc", "/proc", "proc", 0, nullptr);  // the run-time library of OpenMP and std::filesystem look there
    mount("sysfs", "/sys", "sysfs", 0, nullptr);
    std::ifstream lines("/run");  // variables as NAME=VALUE, an empty line, the program and its arguments
    std::string line;
    while (std::getline(lines, line) && !line.empty()) putenv(strdup(line.c_str()));
    std::vector<std::string> words;
    while (std::getline(lines, line)) words.push_back(line);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    int status = 0;
    if (const pid_t child = fork(); child == 0) {
        execv(arguments[0], arguments.data());
        _exit(127);
    } else {
        waitpid(child, &status, 0);
    }
    std::printf("\nemulated: exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    std::fflush(stdout);
    tcdrain(STDOUT_FILENO);
    reboot(RB_POWER_OFF);
}
