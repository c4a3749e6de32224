/*
 * floors: what the operating system alone takes for the work of a task runner.
 *
 *   floors COMMAND WHERE [-j THREADS] [-x NAME]... [-i INDEX] [-t FOLDER] [-n COUNT]
 *
 *   walk     list every folder of WHERE, and nothing else
 *   stat     walk, and statx each file relative to its folder
 *   check    stat, and look each file up in the mapped INDEX: the floor of a run with nothing to do
 *   known    list nothing: statx each folder and each file that INDEX names
 *   read     walk, and open, read and close each file
 *   hash     read, and digest each file with BLAKE3 (if built with it)
 *   index    stat, and write INDEX, for `check` and `known`
 *   copy     read, and write each file anew below FOLDER, which must be absolute
 *   spawn    start the program WHERE and wait for it, COUNT times
 *
 * -x leaves out folders of that name; -j is 1 unless told. A line on standard output says how many
 * folders, files and bytes there were, and how long it took without the start of this process.
 *
 * Build:  cc -O3 -pthread floors.c -o floors
 *         with BLAKE3: -DWITH_BLAKE3 -I ITS_FOLDER and its C sources
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_BLAKE3
#include "blake3.h"
#endif

enum { MAX_SKIP = 16, MAX_THREADS = 64, NAMES_BYTES = 1 << 16, READ_BYTES = 1 << 17, BATCH = 256 };

typedef enum { WALK, STAT, CHECK, KNOWN, READ, HASH, INDEX, COPY, SPAWN, COMMANDS } Command;
static const char *const NAMES[] = {"walk", "stat", "check", "known", "read", "hash", "index", "copy", "spawn"};

/*
 * The index file: a header, a table of `slots` numbers (open addressing by `key`; 0 is free, n is
 * entry n-1), the entries in the order in which they were found, so those of one folder lie
 * together, and their paths.
 */
typedef struct {
	uint64_t slots, count, paths_bytes, padding;
} Header;

typedef struct {
	uint64_t key; /* hash of the path */
	uint64_t inode, size, mtime_ns, ctime_ns;
	uint32_t path_offset, is_folder;
	uint8_t digest[32];
} Entry;

static Command command;
static const char *where, *index_path, *target = "";
static const char *skip[MAX_SKIP];
static int skips;
static long spawns = 1;

static Header *header;
static uint32_t *slots;
static Entry *entries;
static char *paths;

static atomic_ulong folders, files, bytes, matched;
static atomic_ulong sum; /* keeps the compiler from dropping the work */
static atomic_long next_piece;

static void fail(const char *what) {
	fprintf(stderr, "floors: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- a stack of folders that all threads share ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	char **paths;
	size_t count, room;
	int busy;
} stack = {.lock = PTHREAD_MUTEX_INITIALIZER, .ready = PTHREAD_COND_INITIALIZER};

static void push(char **found, size_t count) {
	if (count == 0)
		return;
	pthread_mutex_lock(&stack.lock);
	if (stack.count + count > stack.room) {
		stack.room = (stack.count + count) * 2;
		stack.paths = realloc(stack.paths, stack.room * sizeof *stack.paths);
	}
	memcpy(stack.paths + stack.count, found, count * sizeof *found);
	stack.count += count;
	pthread_cond_broadcast(&stack.ready);
	pthread_mutex_unlock(&stack.lock);
}

static char *pop(bool was_busy) {
	pthread_mutex_lock(&stack.lock);
	stack.busy -= was_busy;
	while (stack.count == 0 && stack.busy > 0)
		pthread_cond_wait(&stack.ready, &stack.lock);
	char *path = NULL;
	if (stack.count > 0) {
		path = stack.paths[--stack.count];
		stack.busy++;
	} else {
		pthread_cond_broadcast(&stack.ready);
	}
	pthread_mutex_unlock(&stack.lock);
	return path;
}

/* ---- the index ---- */

static uint64_t mix(uint64_t hash, const char *text, size_t length) {
	uint64_t word;
	size_t left = length;
	for (; left >= 8; text += 8, left -= 8) {
		memcpy(&word, text, 8);
		hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
		hash ^= hash >> 29;
	}
	word = length;
	memcpy(&word, text, left);
	hash = (hash ^ word ^ (uint64_t)left << 56) * 0x9E3779B97F4A7C15u;
	return hash ^ hash >> 32;
}

static uint64_t key_of(uint64_t folder, const char *name) {
	uint64_t key = mix(folder, name, strlen(name));
	return key ? key : 1;
}

static const Entry *find(uint64_t key) {
	static const Entry none;
	for (uint64_t slot = key & (header->slots - 1);; slot = (slot + 1) & (header->slots - 1)) {
		if (slots[slot] == 0)
			return &none;
		if (entries[slots[slot] - 1].key == key)
			return &entries[slots[slot] - 1];
	}
}

static uint64_t nanoseconds(struct statx_timestamp time) {
	return (uint64_t)time.tv_sec * 1000000000u + time.tv_nsec;
}

static bool same(const Entry *entry, const struct statx *status) {
	return entry->inode == status->stx_ino && entry->size == status->stx_size &&
	       entry->mtime_ns == nanoseconds(status->stx_mtime) && entry->ctime_ns == nanoseconds(status->stx_ctime);
}

/* Room for an index to be made; pages that are not used cost nothing. One thread makes it. */
static void new_index(void) {
	header = calloc(1, sizeof *header);
	entries = calloc(1u << 23, sizeof *entries);
	paths = calloc(1u << 30, 1);
}

static void add_entry(const char *path, uint64_t key, const struct statx *status, bool is_folder) {
	entries[header->count++] = (Entry){
	    .key = key,
	    .inode = status->stx_ino,
	    .size = status->stx_size,
	    .mtime_ns = nanoseconds(status->stx_mtime),
	    .ctime_ns = nanoseconds(status->stx_ctime),
	    .path_offset = header->paths_bytes,
	    .is_folder = is_folder,
	};
	size_t length = strlen(path) + 1;
	memcpy(paths + header->paths_bytes, path, length);
	header->paths_bytes += length;
}

static void write_index(void) {
	header->slots = 2;
	while (header->slots < header->count * 3 / 2)
		header->slots *= 2;
	slots = calloc(header->slots, sizeof *slots);
	for (uint64_t i = 0; i < header->count; i++) {
		uint64_t slot = entries[i].key & (header->slots - 1);
		while (slots[slot])
			slot = (slot + 1) & (header->slots - 1);
		slots[slot] = i + 1;
	}
	FILE *file = fopen(index_path, "wb");
	if (!file)
		fail(index_path);
	fwrite(header, sizeof *header, 1, file);
	fwrite(slots, sizeof *slots, header->slots, file);
	fwrite(entries, sizeof *entries, header->count, file);
	fwrite(paths, 1, header->paths_bytes, file);
	if (fclose(file) != 0)
		fail(index_path);
}

static void map_index(void) {
	int descriptor = open(index_path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	if (descriptor < 0 || fstat(descriptor, &status) < 0)
		fail(index_path);
	header = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (header == MAP_FAILED)
		fail("mmap");
	slots = (uint32_t *)(header + 1);
	entries = (Entry *)(slots + header->slots);
	paths = (char *)(entries + header->count);
	close(descriptor);
}

/* ---- the work on one file and one folder ---- */

struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

typedef struct {
	char names[NAMES_BYTES];
	char content[READ_BYTES];
	unsigned long folders, files, bytes, matched, sum;
} Worker;

static const unsigned STATX_FLAGS = AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
static const unsigned STATX_WANTED = STATX_INO | STATX_SIZE | STATX_MTIME | STATX_CTIME | STATX_TYPE;

static int stat_at(int folder, const char *name, struct statx *status) {
	return syscall(SYS_statx, folder, name, STATX_FLAGS, STATX_WANTED, status);
}

/* Where a file or folder of the tree is copied to. */
static const char *copy_of(const char *path, const char *name, char room[4096]) {
	snprintf(room, 4096, "%s/%s/%s", target, path, name);
	return room;
}

static void read_file(Worker *worker, int folder, const char *path, const char *name) {
	int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOATIME);
	int copy = -1;
	char room[4096];
	if (command == COPY)
		copy = open(copy_of(path, name, room), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (descriptor < 0 || (command == COPY && copy < 0))
		fail(name);
#ifdef WITH_BLAKE3
	blake3_hasher hasher;
	if (command == HASH)
		blake3_hasher_init(&hasher);
#endif
	/* A read that does not fill the buffer is the end of a regular file: one call for a small one. */
	for (ssize_t got = READ_BYTES; got == READ_BYTES;) {
		got = read(descriptor, worker->content, READ_BYTES);
		if (got < 0)
			fail(name);
		worker->bytes += got;
		if (copy >= 0 && write(copy, worker->content, got) != got)
			fail(name);
#ifdef WITH_BLAKE3
		if (command == HASH)
			blake3_hasher_update(&hasher, worker->content, got);
#endif
	}
	close(descriptor);
	if (copy >= 0)
		close(copy);
#ifdef WITH_BLAKE3
	if (command == HASH) {
		uint64_t digest[4];
		blake3_hasher_finalize(&hasher, (uint8_t *)digest, 32);
		worker->sum += digest[0];
	}
#endif
}

static void visit_file(Worker *worker, int folder, const char *path, uint64_t folder_key, const char *name) {
	worker->files++;
	if (command == READ || command == HASH || command == COPY)
		read_file(worker, folder, path, name);
	if (command != STAT && command != CHECK && command != INDEX)
		return;
	struct statx status;
	if (stat_at(folder, name, &status) < 0)
		fail(name);
	worker->sum += status.stx_ino;
	worker->bytes += status.stx_size;
	if (command == CHECK)
		worker->matched += same(find(key_of(folder_key, name)), &status);
	if (command == INDEX) {
		char full[4096];
		snprintf(full, sizeof full, "%s/%s", path, name);
		add_entry(full, key_of(folder_key, name), &status, false);
	}
}

static bool left_out(const char *name) {
	if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)))
		return true;
	for (int i = 0; i < skips; i++)
		if (strcmp(name, skip[i]) == 0)
			return true;
	return false;
}

static char *join(const char *path, size_t path_length, const char *name) {
	size_t name_length = strlen(name);
	char *child = malloc(path_length + name_length + 2);
	memcpy(child, path, path_length);
	child[path_length] = '/';
	memcpy(child + path_length + 1, name, name_length + 1);
	return child;
}

static void visit_folder(Worker *worker, char *path) {
	int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NOATIME);
	if (descriptor < 0)
		fail(path);
	size_t path_length = strlen(path);
	uint64_t folder_key = mix(0, path, path_length);
	char room[4096];
	if (command == COPY && mkdir(copy_of(path, "", room), 0777) < 0 && errno != EEXIST)
		fail(room);
	if (command == INDEX) {
		struct statx status;
		stat_at(AT_FDCWD, path, &status);
		add_entry(path, key_of(folder_key, ""), &status, true);
	}
	char *found[BATCH];
	size_t found_count = 0;
	long got;
	while ((got = syscall(SYS_getdents64, descriptor, worker->names, NAMES_BYTES)) > 0) {
		for (long at = 0; at < got;) {
			struct linux_dirent64 *item = (struct linux_dirent64 *)(worker->names + at);
			at += item->d_reclen;
			if (item->d_type == DT_REG) {
				visit_file(worker, descriptor, path, folder_key, item->d_name);
			} else if (item->d_type == DT_DIR && !left_out(item->d_name)) {
				found[found_count++] = join(path, path_length, item->d_name);
				if (found_count == BATCH)
					push(found, found_count), found_count = 0;
			}
		}
	}
	if (got < 0)
		fail(path);
	push(found, found_count);
	close(descriptor);
	free(path);
	worker->folders++;
}

/* `known`: every thread takes entries of the index, a block at a time. */
static void visit_known(Worker *worker) {
	const uint64_t block = 1024;
	for (uint64_t from; (from = atomic_fetch_add(&next_piece, block)) < header->count;) {
		for (uint64_t i = from; i < from + block && i < header->count; i++) {
			struct statx status;
			if (stat_at(AT_FDCWD, paths + entries[i].path_offset, &status) == 0)
				worker->matched += same(&entries[i], &status);
			worker->folders += entries[i].is_folder;
			worker->files += !entries[i].is_folder;
		}
	}
}

static void spawn_all(void) {
	char *const arguments[] = {(char *)where, NULL};
	char *const environment[] = {NULL};
	while (atomic_fetch_add(&next_piece, 1) < spawns) {
		pid_t child;
		int status;
		if ((errno = posix_spawn(&child, where, NULL, NULL, arguments, environment)) != 0)
			fail(where);
		if (waitpid(child, &status, 0) != child || status != 0)
			fail("the program did not succeed");
	}
}

static void *run_worker(void *unused) {
	(void)unused;
	Worker *worker = calloc(1, sizeof *worker);
	bool busy = false;
	switch (command) {
	case SPAWN: spawn_all(); break;
	case KNOWN: visit_known(worker); break;
	default:
		for (char *path; (path = pop(busy)); busy = true)
			visit_folder(worker, path);
	}
	atomic_fetch_add(&folders, worker->folders);
	atomic_fetch_add(&files, worker->files);
	atomic_fetch_add(&bytes, worker->bytes);
	atomic_fetch_add(&matched, worker->matched);
	atomic_fetch_add(&sum, worker->sum);
	return NULL;
}

static int usage(void) {
	fprintf(stderr, "usage: floors COMMAND WHERE [-j THREADS] [-x NAME]... [-i INDEX] [-t FOLDER] [-n COUNT]\n");
	return 2;
}

int main(int count, char **arguments) {
	if (count < 3)
		return usage();
	while (command < COMMANDS && strcmp(arguments[1], NAMES[command]) != 0)
		command++;
#ifndef WITH_BLAKE3
	if (command == HASH)
		command = COMMANDS;
#endif
	if (command == COMMANDS)
		return usage();
	where = arguments[2];
	int threads = 1;
	for (int at = 3; at + 1 < count; at += 2) {
		char *value = arguments[at + 1];
		switch (arguments[at][1]) {
		case 'j': threads = atoi(value); break;
		case 'x': skip[skips++ % MAX_SKIP] = value; break;
		case 'i': index_path = value; break;
		case 't': target = value; break;
		case 'n': spawns = atol(value); break;
		default: return usage();
		}
	}
	if (command != SPAWN && chdir(where) < 0)
		fail(where);
	struct timespec start, end;
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (command == INDEX)
		new_index(), threads = 1;
	if (command == CHECK || command == KNOWN)
		map_index();
	push((char *[]){strdup(".")}, 1);
	pthread_t others[MAX_THREADS];
	for (int i = 1; i < threads && i < MAX_THREADS; i++)
		pthread_create(&others[i], NULL, run_worker, NULL);
	run_worker(NULL);
	for (int i = 1; i < threads && i < MAX_THREADS; i++)
		pthread_join(others[i], NULL);
	if (command == INDEX)
		write_index();
	clock_gettime(CLOCK_MONOTONIC, &end);
	double ms = (end.tv_sec - start.tv_sec) * 1e3 + (end.tv_nsec - start.tv_nsec) / 1e6;
	printf("%s -j%d: %lu folders, %lu files, %lu bytes, %lu matched, %.2f ms\n", arguments[1], threads, folders,
	       files, bytes, matched, ms);
	return 0;
}
