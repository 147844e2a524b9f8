/* What a packet costs on its way through network namespaces, measured in turns.
 *
 *     packetcost MODE ROUNDS CPU ENTRY...
 *
 * ENTRY is NAMESPACE,COUNT,OPENING,REPLY,LATER: the path of a namespace with the devices in0 and out0, how many
 * packets a round sends, and files of frames (64 bytes each, 60 of which are sent; a power of two of them; `-`
 * for none). MODE:
 *
 *   new           each round begins without connections and sends COUNT frames of OPENING
 *   established   OPENING and then REPLY (which comes in at out0) make connections once; rounds send LATER
 *
 * Frames are handed to the kernel as XDP "live frames" (BPF_PROG_TEST_RUN): it takes them as if in0 had received
 * them, and everything until they leave is done in this thread, which is bound to one CPU. So the thread's CPU
 * time is what the packets cost. A program at the way out of both devices counts frames and drops them: what the
 * device would cost is not in it. Rounds visit the entries forward and backward in turn, so that the drift of the
 * machine meets all alike.
 *
 * Prints a line for each entry: the share of packets that were forwarded, then nanoseconds a packet, round by round.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 64, FRAME = 60, BATCH = 64, PAGE = 4096, TCX_EGRESS = 47, MOST = 64 };
enum { IPCTNL_DELETE = NFNL_SUBSYS_CTNETLINK << 8 | 2 };

struct frames {
	int program; /* sends them one after the other, again and again */
	int count;
};

struct entry {
	char *path;
	uint64_t count;
	struct frames opening, reply, later;
	int in, out, netlink, namespace;
	double *nanoseconds;
	uint64_t sent, forwarded;
};

/* Shared with the programs below: which frame is next, and how many left. */
struct counters {
	uint64_t next, forwarded;
};
static volatile struct counters *counters;
static int counters_map;

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int bpf(int command, union bpf_attr *attributes)
{
	return syscall(__NR_bpf, command, attributes, sizeof *attributes);
}

static int array_map(int value_size, int entries)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = value_size,
			    .max_entries = entries, .map_flags = BPF_F_MMAPABLE};
	int map = bpf(BPF_MAP_CREATE, &a);
	if (map < 0)
		fail("BPF_MAP_CREATE");
	return map;
}

static void *mapped(int map, size_t size)
{
	void *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	return memory;
}

static int load(int type, struct bpf_insn *program, int length)
{
	static char log[1 << 16];
	union bpf_attr a = {.prog_type = type, .insn_cnt = length, .insns = (uintptr_t)program,
			    .license = (uintptr_t) "GPL", .log_buf = (uintptr_t)log, .log_size = sizeof log,
			    .log_level = 1};
	int loaded = bpf(BPF_PROG_LOAD, &a);
	if (loaded < 0) {
		fputs(log, stderr);
		fail("BPF_PROG_LOAD");
	}
	return loaded;
}

#define OP(c, d, s, o, i) {.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)}
#define MOVE(d, s) OP(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define SET(d, i) OP(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD(d, i) OP(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define READ(size, d, s, o) OP(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define WRITE(size, d, s, o) OP(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define MAP(d, kind, map) OP(BPF_LD | BPF_DW | BPF_IMM, d, kind, 0, map), OP(0, 0, 0, 0, 0)
#define COPY(o) READ(BPF_DW, 1, 0, o), WRITE(BPF_DW, 7, 1, o)
#define EXIT OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LENGTH(p) (sizeof(p) / sizeof *(p))

/* An XDP program that overwrites the frame it is given with the next of a map's. */
static int sender(int map, int count)
{
	struct bpf_insn program[] = {
		READ(BPF_W, 7, 1, 0), READ(BPF_W, 8, 1, 4),
		MOVE(0, 7), ADD(0, FRAME),
		OP(BPF_JMP | BPF_JGT | BPF_X, 0, 8, 30, 0),
		MAP(1, BPF_PSEUDO_MAP_VALUE, counters_map),
		READ(BPF_DW, 2, 1, 0), MOVE(3, 2), ADD(3, 1), WRITE(BPF_DW, 1, 3, 0),
		OP(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, count - 1), WRITE(BPF_W, 10, 2, -4),
		MAP(1, BPF_PSEUDO_MAP_FD, map), MOVE(2, 10), ADD(2, -4),
		OP(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		OP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 16, 0),
		COPY(0), COPY(8), COPY(16), COPY(24), COPY(32), COPY(40), COPY(48),
		SET(0, XDP_PASS), EXIT,
		SET(0, XDP_DROP), EXIT};
	return load(BPF_PROG_TYPE_XDP, program, LENGTH(program));
}

/* A traffic control program that counts a frame and drops it. */
static int sink(void)
{
	struct bpf_insn program[] = {MAP(1, BPF_PSEUDO_MAP_VALUE, counters_map),
				     READ(BPF_DW, 2, 1, 8), ADD(2, 1), WRITE(BPF_DW, 1, 2, 8), SET(0, 2), EXIT};
	return load(BPF_PROG_TYPE_SCHED_CLS, program, LENGTH(program));
}

static void attach(int program, int device)
{
	union bpf_attr a = {.link_create = {.prog_fd = program, .target_ifindex = device, .attach_type = TCX_EGRESS}};
	if (bpf(BPF_LINK_CREATE, &a) < 0) /* gone with this process */
		fail("BPF_LINK_CREATE");
}

static struct frames frames(const char *file)
{
	struct frames made = {-1, 0};
	if (!strcmp(file, "-"))
		return made;
	int input = open(file, O_RDONLY);
	struct stat status;
	if (input < 0 || fstat(input, &status))
		fail(file);
	made.count = status.st_size / RECORD;
	if (made.count < 1 || made.count & (made.count - 1)) {
		fprintf(stderr, "%s: the number of frames must be a power of two\n", file);
		exit(1);
	}
	int map = array_map(RECORD, made.count);
	char *memory = mapped(map, (size_t)made.count * RECORD);
	for (off_t done = 0; done < status.st_size;) {
		ssize_t got = read(input, memory + done, status.st_size - done);
		if (got <= 0)
			fail(file);
		done += got;
	}
	close(input);
	made.program = sender(map, made.count);
	return made;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Send some frames into a device of the current namespace: nanoseconds a packet, by the kernel's clock while the
 * packets run or by this thread's CPU time, whichever is less (the one knows no set-up, the other no interruption). */
static double run(struct frames what, int device, uint64_t count)
{
	static char frame[RECORD];
	struct xdp_md context = {.data = 0, .data_end = FRAME, .ingress_ifindex = device};
	union bpf_attr a = {.test = {.prog_fd = what.program, .data_in = (uintptr_t)frame, .data_size_in = FRAME,
				     .ctx_in = (uintptr_t)&context, .ctx_size_in = sizeof context, .repeat = count,
				     .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH}};
	double start = now();
	if (bpf(BPF_PROG_TEST_RUN, &a) < 0)
		fail("BPF_PROG_TEST_RUN");
	double own = (now() - start) / count;
	return own < a.test.duration ? own : a.test.duration;
}

static void enter(struct entry *e)
{
	if (setns(e->namespace, CLONE_NEWNET))
		fail("setns");
}

static void forget_connections(struct entry *e)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg body;
	} message = {{sizeof message, IPCTNL_DELETE, NLM_F_REQUEST | NLM_F_ACK}, {AF_UNSPEC}};
	char answer[PAGE];
	if (send(e->netlink, &message, sizeof message, 0) < 0 || recv(e->netlink, answer, sizeof answer, 0) < 0)
		fail("conntrack");
}

static void open_entry(struct entry *e, char *words, int rounds, int sink_program)
{
	char *part[5];
	for (int i = 0; i < 5; i++)
		if (!(part[i] = strsep(&words, ",")))
			exit(2);
	e->path = part[0];
	e->count = strtoull(part[1], 0, 10);
	e->opening = frames(part[2]);
	e->reply = frames(part[3]);
	e->later = frames(part[4]);
	e->namespace = open(e->path, O_RDONLY);
	if (e->namespace < 0)
		fail(e->path);
	enter(e);
	e->in = if_nametoindex("in0");
	e->out = if_nametoindex("out0");
	e->netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	if (!e->in || !e->out || e->netlink < 0)
		fail("in0, out0");
	attach(sink_program, e->in);
	attach(sink_program, e->out);
	e->nanoseconds = calloc(rounds, sizeof *e->nanoseconds);
}

int main(int argc, char **argv)
{
	if (argc < 5 || argc - 4 > MOST)
		return 2;
	int established = !strcmp(argv[1], "established"), rounds = atoi(argv[2]), n = argc - 4;
	cpu_set_t cpus;
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[3]), &cpus);
	sched_setaffinity(0, sizeof cpus, &cpus);
	setpriority(PRIO_PROCESS, 0, -20);
	counters_map = array_map(PAGE, 1);
	counters = mapped(counters_map, PAGE);
	int sink_program = sink();
	static struct entry entries[MOST];
	for (int i = 0; i < n; i++)
		open_entry(&entries[i], argv[4 + i], rounds, sink_program);
	for (int i = 0; established && i < n; i++) {
		enter(&entries[i]);
		counters->next = 0;
		run(entries[i].opening, entries[i].in, entries[i].opening.count);
		counters->next = 0;
		run(entries[i].reply, entries[i].out, entries[i].reply.count);
	}
	for (int round = -1; round < rounds; round++) /* the first one only warms up */
		for (int i = 0; i < n; i++) {
			struct entry *e = &entries[round & 1 ? n - 1 - i : i];
			struct frames what = established ? e->later : e->opening;
			enter(e);
			counters->next = 0;
			if (!established)
				forget_connections(e);
			run(what, e->in, e->count); /* not measured: the caches are another entry's */
			if (!established)
				forget_connections(e);
			counters->next = 0;
			uint64_t before = counters->forwarded;
			double taken = run(what, e->in, e->count);
			if (round < 0)
				continue;
			e->nanoseconds[round] = taken;
			e->sent += e->count;
			e->forwarded += counters->forwarded - before;
		}
	for (int i = 0; i < n; i++) {
		printf("%.4f", (double)entries[i].forwarded / entries[i].sent);
		for (int round = 0; round < rounds; round++)
			printf(" %.1f", entries[i].nanoseconds[round]);
		putchar('\n');
		enter(&entries[i]);
		forget_connections(&entries[i]);
	}
	return 0;
}
