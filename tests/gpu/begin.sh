# Sourced by the scripts beside it with the folder of their results: PyTorch's libraries serve our programs, all that is said
# goes to log.txt too, and the machine is named.
mkdir -p "$1"
torch_lib=$(python3 -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))')
export LD_LIBRARY_PATH=$torch_lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
exec > >(tee "$1/log.txt") 2>&1
date -u
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
