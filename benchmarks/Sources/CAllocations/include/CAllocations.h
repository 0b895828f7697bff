// How often memory was allocated: the program's own malloc(3) and its kin, which count and pass on to the C library's.
#pragma once

// What the calling thread has allocated so far, in calls.
long allocations_made(void);
