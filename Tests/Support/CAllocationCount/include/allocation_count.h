#pragma once

/// How often memory has been asked for in this process, over all its threads; -1 where that cannot be counted.
long dtrain_allocation_count(void);
