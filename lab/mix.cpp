// Integer mixer lab: bit histories + adaptive maps + two-layer mixer + SSE; B parallel streams, state of step start.
// mix SEEN B [-net FILE] [-stride S] [-kind plain|stride|seq] [options]
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
#include <map>
using std::vector; using std::string;
typedef uint8_t u8; typedef uint16_t u16; typedef uint32_t u32; typedef int16_t i16; typedef int32_t i32; typedef int64_t i64; typedef uint64_t u64;
static u32 mixInto(u32 h, u32 v) { h = (h + v + 1) * 0x9e3779b1u; return h ^ (h >> 15); }
static u32 finish(u32 h) { h ^= h >> 16; h *= 0x7feb352du; h ^= h >> 15; h *= 0x846ca68bu; return h ^ (h >> 16); }

static i16 ST[4096]; static u16 SQ[1<<13]; // stretch: p>>4 -> Q8 ; squash: Q8 logit + 4096 -> p16
static inline int stretch(u32 p16) { return ST[p16 >> 4]; }
static inline int squash8(int x) { if (x < -2900) x = -2900; if (x > 2900) x = 2900; return SQ[x + 4096]; }
// squash with logit in Q12, interpolated
static inline int squash12(int x) { const int L = 2900 << 4; if (x < -L) x = -L; if (x > L) x = L; int i = x >> 4, f = x & 15; int a = SQ[i + 4096], b = SQ[i + 1 + 4096]; return a + (((b - a) * f + 8) >> 4); }

// ---- bit history states
struct State { int n0, n1, last; };
static vector<State> states; static u8 nextState[256][2];
static void makeStates(int limitTotal) {
  std::map<std::pair<std::pair<int,int>,int>, int> id; states.clear();
  // allowed (n0,n1): total bounded by determinism: if min==0 up to 41; 1: up to 24; 2: 12; 3: 7 ...
  auto cap = [&](int m) { static const int c[] = {40, 24, 12, 8, 6, 5}; return m < 6 ? c[m] : 0; };
  auto ok = [&](int a, int b) { int m = std::min(a, b), M = std::max(a, b); return m < 6 && M <= cap(m); };
  auto add = [&](int a, int b, int l) { auto k = std::make_pair(std::make_pair(a, b), l); if (!id.count(k)) { id[k] = states.size(); states.push_back({a, b, l}); } };
  add(0, 0, 0);
  for (int t = 1; t <= 48; t++) for (int a = 0; a <= t; a++) { int b = t - a; if (!ok(a, b)) continue; if (a) { add(a, b, 0); } if (b) add(a, b, 1); }
  // coarse: large counts thin out
  fprintf(stderr, "states %zu\n", states.size());
  (void)limitTotal;
}
// explicit generation with quantised counts so that it fits in 256
static int quantUp(int n) { return n; }
static bool buildStates() {
  static const int Q[] = {0,1,2,3,4,5,6,7,8,10,12,16,20,24,32,40,48,64,96,128}; // allowed counts
  const int NQ = sizeof(Q) / sizeof(*Q);
  auto quant = [&](int n) { int r = 0; for (int i = 0; i < NQ; i++) if (Q[i] <= n) r = Q[i]; return r; };
  auto maxOther = [&](int m) { static const int c[] = {128, 64, 24, 12, 8, 6, 5, 5}; return m < 8 ? c[m] : 0; };
  std::map<std::pair<std::pair<int,int>,int>, int> id; states.clear();
  auto ok = [&](int a, int b) { int m = std::min(a, b), M = std::max(a, b); return m < 7 && M <= maxOther(m); };
  auto get = [&](int a, int b, int l) { auto k = std::make_pair(std::make_pair(a, b), l); auto it = id.find(k); if (it != id.end()) return it->second; id[k] = states.size(); states.push_back({a, b, l}); return (int)states.size() - 1; };
  get(0, 0, 0);
  vector<std::pair<int,int>> nx;
  for (size_t s = 0; s < states.size(); s++) {
    int r[2];
    for (int y = 0; y < 2; y++) {
      int a = states[s].n0, b = states[s].n1; int &same = y ? b : a, &other = y ? a : b;
      // count up: quantised counts advance deterministically to next allowed (probabilistic in paq); here: always next
      int up = same; for (int i = 0; i < NQ; i++) if (Q[i] > same) { up = Q[i]; break; }
      same = up;
      if (other > 2) { other = other > 25 ? 5 : other > 12 ? 4 : other > 7 ? 4 : other > 4 ? 3 : other; if (other > 3) other = other - 1; }
      while (!ok(a, b)) { if (a > b) a = quant(a - 1); else b = quant(b - 1); }
      r[y] = get(a, b, y);
      if (states.size() > 255) { fprintf(stderr, "too many states\n"); return false; }
    }
    nextState[s][0] = r[0]; nextState[s][1] = r[1];
  }
  fprintf(stderr, "states %zu\n", states.size());
  return true;
}

struct Ctx { int words, order; vector<int> off; int priv; }; // mask 0: bytes as they are
struct Match { int stream = -1, pos = 0, len = 0; };

int main(int argc, char** argv) {
  const char* seenFile = argv[1]; int B = atoi(argv[2]); const char* netFile = nullptr; int stride = 0; int ctxCount = 99; int lineBits = 18; double lr = 0.002, lr2 = 0.002; bool sse = true; int mapLimit = 255; bool nodeMerge = true; int seq = 0; double crowd = 8; int setMask = 255; bool seqApply = false; int minMatch = 6;
  vector<char> privs; bool pm = false; int mapStart = 1; int inputsPer = 2; int maxBytes = 1 << 30;
  for (int i = 3; i < argc; i++) { string a = argv[i];
    if (a == "-net") netFile = argv[++i]; else if (a == "-stride") stride = atoi(argv[++i]); else if (a == "-n") ctxCount = atoi(argv[++i]);
    else if (a == "-bits") lineBits = atoi(argv[++i]); else if (a == "-lr") lr = atof(argv[++i]); else if (a == "-lr2") lr2 = atof(argv[++i]); else if (a == "-nosse") sse = false;
    else if (a == "-limit") mapLimit = atoi(argv[++i]); else if (a == "-line") nodeMerge = false; else if (a == "-crowd") crowd = atof(argv[++i]); else if (a == "-sets") setMask = atoi(argv[++i]);
    else if (a == "-seqapply") seqApply = true; else if (a == "-min") minMatch = atoi(argv[++i]); else if (a == "-per") inputsPer = atoi(argv[++i]); else if (a == "-priv") { string v = argv[++i]; for (char c : v) privs.push_back(c); } else if (a == "-pm") pm = true; else if (a == "-bytes") maxBytes = atoi(argv[++i]);
    else { fprintf(stderr, "what is %s\n", argv[i]); return 1; } }
  if (stride == 1) { seq = 1; stride = 0; }
  FILE* f = fopen(seenFile, "rb"); vector<u8> data; { u8 buf[65536]; size_t n; while ((n = fread(buf, 1, sizeof buf, f)) > 0) data.insert(data.end(), buf, buf + n); fclose(f); }
  if ((int)data.size() > maxBytes) data.resize(maxBytes);
  FILE* nf = netFile ? fopen(netFile, "rb") : nullptr;
  for (int i = 0; i < 4096; i++) { double p = (i + 0.5) / 4096; ST[i] = (i16)std::max(-2047.0, std::min(2047.0, floor(256 * log(p / (1 - p)) + 0.5))); }
  for (int i = -4096; i < 4096; i++) { double p = 65536 / (1 + exp(-i / 256.0)); SQ[i + 4096] = (u16)std::max(1.0, std::min(65535.0, floor(p + 0.5))); }
  if (!buildStates()) return 1;
  const int s = stride;
  vector<Ctx> ctxs;
  auto by = [&](int o, vector<int> off = {}) { ctxs.push_back({0, o, off, 0}); };
  auto wo = [&](int w, int o, vector<int> off = {}) { ctxs.push_back({w, o, off, 0}); };
  if (seq) { for (int o : {12, 16, 11, 20, 2, 3, 4, 6, 8, 9, 10, 14, 13, 18, 24, 1}) by(o); }
  else if (s > 0) { by(1); by(2); by(1,{s}); by(0,{s}); by(0,{s,2*s}); by(2,{s}); by(0,{s,s+1}); by(1,{s,s+1}); by(3); by(0,{3,s}); by(4); by(0,{3,6}); by(0,{3}); by(0,{s,s-3}); by(0,{3,s,s+3}); by(0,{3,s,s-3}); }
  else { by(1); by(2); by(3); by(4); by(6); wo(1,0); by(5); wo(2,0); by(8); wo(1,1); by(0,{2,3}); by(0,{1,3}); by(0,{2,3,4}); by(0,{3,4}); by(12); by(16); }
  if ((int)ctxs.size() > ctxCount) ctxs.resize(ctxCount);
  for (char c : privs) { if (c == 'w') ctxs.push_back({1,0,{},1}); else if (c == 'v') ctxs.push_back({2,0,{},1}); else ctxs.push_back({0,c-'0',{},1}); }
  const int N = ctxs.size(); const u32 L = data.size();
  const int P = inputsPer; const bool net = nf;
  const int I = ((net ? 2 : 0) + P * N + 4 + 15) & ~15;  // inputs: net(2), contexts, order0 counter(1), match(2)... padded
  // lines: 16 bytes: check, 15 nodes. bucket of 4
  vector<vector<u8>> lines(N, vector<u8>((size_t)16 << lineBits));
  // maps: p in Q22 with count
  struct MapCell { u32 p; i32 n; i64 d; i32 hits; };
  vector<MapCell> maps((size_t)N * 256), runMap;
  for (int i = 0; i < N; i++) for (size_t k = 0; k < states.size(); k++) { double p = (states[k].n1 + 0.4) / (states[k].n0 + states[k].n1 + 0.8); maps[i * 256 + k] = {(u32)(p * 4194303), mapStart, 0, 0}; }
  // sets
  const int bigsets[6] = {256, 256 * 8, 8 * 4 * 16, 256, 2048, 1024};
  vector<int> active; for (int j = 0; j < 6; j++) if (setMask >> j & 1) active.push_back(j);
  const int S = active.size();
  vector<vector<i32>> w(S); vector<vector<i16>> wh(S); vector<vector<i32>> hits(S); vector<vector<int>> touched(S);
  for (int j = 0; j < S; j++) { w[j].assign((size_t)bigsets[active[j]] * I, 0); hits[j].assign(bigsets[active[j]], 0);
    for (int k = 0; k < bigsets[active[j]]; k++) { i32* q = &w[j][(size_t)k * I]; int x = 0; if (net) { q[x] = (i32)(0.7 * (1 << 28)); x += 2; } for (int i = 0; i < N; i++) q[x + i * P] = (i32)((net ? 0.15 : 0.4) * 6 / std::max(6, N) * (1 << 28)); } }
  for (int j = 0; j < S; j++) { wh[j].resize(w[j].size()); for (size_t k = 0; k < w[j].size(); k++) wh[j][k] = (i16)(w[j][k] >> 14); }
  vector<i32> w2(256 * 8 * S, (1 << 28) / S);
  // order 0
  vector<u16> o0(256, 32768);
  const int SSE = 33; vector<u16> a1((size_t)256 * 256 * SSE), a2((size_t)65536 * SSE), a3(1024 * SSE);
  for (auto* a : {&a1, &a2, &a3}) for (size_t i = 0; i < a->size(); i++) (*a)[i] = squash8(((int)(i % SSE) - 16) * 128);
  vector<u16> matchP(64 * 2, 0); for (int i = 0; i < 64; i++) { double l = i; matchP[i] = (u16)(65536 * (1 - 0.5 / (l + 2))); }
  struct alignas(64) Rec { i16 x[160]; u16 state[32]; int set[6]; int p[6], st[6]; int mixed, node, y, mlen, mbit, final; int c1, c2, c3; u32 w2set; };
  vector<Rec> recs((size_t)B * 8);
  vector<u32> lens(B), starts(B); { u32 a = 0; for (int b = 0; b < B; b++) { lens[b] = L / B + ((u32)b < L % B); starts[b] = a; a += lens[b]; } }
  const u32 T = lens[0];
  vector<u32> word(B), wordB(B); vector<Match> match(B); vector<u32> places(1 << 20, ~0u), places2(1 << 20, ~0u);
  vector<u32> h1(N), lineAt((size_t)B * N * 2); vector<u8> checkAt((size_t)B * N * 2); vector<u8> fresh((size_t)B * N * 2);
  vector<u16> netRow((size_t)B * 8);
  double bitsMixed = 0, bitsFinal = 0, bitsNet = 0;
  const int RATE = (int)(lr * 16 * 65536), RATE2 = (int)(lr2 * 16 * 65536);
  auto findLine = [&](int i, u32 h, u8& chk, bool& isNew) -> u32 {
    // bucket of 4 lines
    const vector<u8>& t = lines[i]; u32 bucket = (h >> 8) & ((1u << lineBits) - 1) & ~3u; chk = (u8)(h & 255); if (chk == 0) chk = 1;
    u32 worst = bucket; int worstN = 1 << 30;
    for (int k = 0; k < 4; k++) { u32 l = bucket + ((k + h) & 3); const u8* q = &t[(size_t)l * 16]; if (q[0] == chk) { isNew = false; return l; } int n = q[0] == 0 ? -1 : states[q[1]].n0 + states[q[1]].n1; if (n < worstN) { worstN = n; worst = l; } }
    isNew = true; return worst;
  };
  vector<u32> ctxHash((size_t)B * N);
  for (u32 t = 0; t < T; t++) {
    if (nf && fread(netRow.data(), 2, netRow.size(), nf) != netRow.size()) { fprintf(stderr, "net ends\n"); return 1; }
    int live = 0; while (live < B && t < lens[live]) live++;
    for (int b = 0; b < live; b++) {
      const u8* d = &data[starts[b]]; auto back = [&](int o) -> u32 { return (u32)o <= t ? d[t - o] : 0; };
      const int byte = d[t];
      for (int i = 0; i < N; i++) { const Ctx& c = ctxs[i]; u32 k = mixInto(i * 0x1234567u + 77, c.words); if (c.words >= 1) k = mixInto(k, word[b]); if (c.words >= 2) k = mixInto(k, wordB[b]); for (int o = 1; o <= c.order; o++) k = mixInto(k, back(o)); for (int o : c.off) k = mixInto(k, back(o)); if (c.priv) k = mixInto(k, b + 1); k = finish(k); ctxHash[(size_t)b * N + i] = k;
        for (int nb = 0; nb < 2; nb++) { u32 hh = nb == 0 ? k : finish(k + (1u + (byte >> 4)) * 0x9e3779b1u); bool isNew; size_t at = ((size_t)b * N + i) * 2 + nb; lineAt[at] = findLine(i, hh, checkAt[at], isNew); fresh[at] = isNew; } }
      Match& m = match[b]; int expected = -1; if (m.stream >= 0) { if ((u32)m.pos < std::min<u32>(t, lens[m.stream])) expected = data[starts[m.stream] + m.pos]; }
      const u32 b1 = back(1), b2 = back(2);
      int node = 1;
      for (int k = 0; k < 8; k++) {
        Rec& r = recs[(size_t)b * 8 + k]; const int y = (byte >> (7 - k)) & 1; r.y = y; r.node = node; i16* x = r.x; int q = 0;
        if (net) { int p = netRow[(size_t)b * 8 + k]; x[q++] = (i16)stretch(p); x[q++] = (i16)((p - 32768) >> 6); bitsNet -= log2((y ? p : 65536 - p) / 65536.0); }
        int nibNode = k < 4 ? node : (1 << (k - 4)) | (node & ((1 << (k - 4)) - 1)); int hitsN = 0;
        for (int i = 0; i < N; i++) { size_t at = ((size_t)b * N + i) * 2 + (k >> 2); int st = fresh[at] ? 0 : lines[i][(size_t)lineAt[at] * 16 + nibNode]; r.state[i] = st;
          if (st == 0) { x[q] = 0; if (P > 1) x[q + 1] = 0; if (P > 2) x[q + 2] = 0; }
          else { const int p = maps[i * 256 + st].p >> 6; x[q] = (i16)stretch(p); if (P > 1) x[q + 1] = (i16)((p - 32768) >> 6);
            if (P > 2) { const State& z = states[st]; x[q + 2] = z.n0 && z.n1 ? 0 : z.n1 ? (i16)std::min(2000, 200 + 30 * z.n1) : (i16)-std::min(2000, 200 + 30 * z.n0); }
            if (states[st].n0 + states[st].n1 >= 1 && i >= 1 && i < 7) hitsN++; }
          q += P; }
        x[q++] = (i16)stretch(o0[node]);
        r.mlen = -1; x[q] = x[q + 1] = 0;
        if (expected >= 0 && ((expected | 256) >> (8 - k)) == node) { r.mbit = (expected >> (7 - k)) & 1; int l = std::min(m.len, 400); r.mlen = l < 16 ? l : l < 32 ? 16 + (l - 16) / 4 : l < 64 ? 20 + (l - 32) / 8 : 24 + std::min(7, (l - 64) / 32); int p = matchP[r.mlen]; int sv = stretch(p); x[q] = (i16)(r.mbit ? sv : -sv); x[q + 1] = (i16)((r.mbit ? 1 : -1) * ((p - 32768) >> 6)); }
        q += 2; while (q < I) x[q++] = 0; x[I - 1] = 256; // bias shares padding if any
        int ml = r.mlen < 0 ? 0 : m.len < 12 ? 1 : m.len < 24 ? 2 : 3;
        int setAll[6] = { node, (int)(b1 * 8 + k), (ml * 8 + k) * 8 + std::min(hitsN, 6), (int)b2, 0, 0 };
        setAll[2] = std::min(setAll[2], bigsets[2] - 1);
        setAll[4] = s > 0 ? (int)(back(s) * 8 + k) : (int)((b1 >> 5) * 64 + (b2 >> 5) * 8 + k); setAll[5] = (r.mlen < 0 ? 0 : expected + 1 > 255 ? 255 : expected + 1) ; if (setAll[5] > 1023) setAll[5] = 1023;
        i64 fin = 0; r.w2set = (ml * 8 + k) * 8 + std::min(hitsN, 7); 
        for (int j = 0; j < S; j++) { r.set[j] = setAll[active[j]]; const i16* v = &wh[j][(size_t)r.set[j] * I]; i32 dot = 0; for (int i = 0; i < I; i++) dot += (i32)v[i] * (i32)x[i]; int lo = std::max(-2047 * 16, std::min(2047 * 16, dot >> 10)); r.st[j] = lo; r.p[j] = squash12(lo); fin += (i64)(w2[r.w2set * S + j] >> 14) * lo; }
        int fl = (int)std::max<i64>(-2900 * 16, std::min<i64>(2900 * 16, fin >> 14)); r.mixed = squash12(fl); r.mixed = std::max(8, std::min(65528, r.mixed));
        bitsMixed -= log2((y ? r.mixed : 65536 - r.mixed) / 65536.0);
        int stq = std::max(-2047, std::min(2047, fl >> 4)); int cell = (stq + 2048 + 64) >> 7; // nearest of 33
        int lowc = (stq + 2048) >> 7, fr = (stq + 2048) & 127;
        r.c1 = (int)((b1 * 256 + node) * SSE + cell); u32 hh = finish(mixInto(mixInto(b2, b1), node)) & 65535; r.c2 = (int)(hh * SSE + cell);
        auto look = [&](const vector<u16>& a, size_t base) { return (int)(((i64)a[base + lowc] * (128 - fr) + (i64)a[base + lowc + 1] * fr) >> 7); };
        int p = r.mixed; if (sse) { int p1 = look(a1, (size_t)(b1 * 256 + node) * SSE), p2 = look(a2, (size_t)hh * SSE); p = (2 * r.mixed + p1 + p2 + 2) >> 2; }
        p = std::max(8, std::min(65528, p)); r.final = p; bitsFinal -= log2((y ? p : 65536 - p) / 65536.0);
        node = 2 * node + y;
      }
    }
    // learn
    for (int b = 0; b < live; b++) for (int k = 0; k < 8; k++) { Rec& r = recs[(size_t)b * 8 + k]; for (int j = 0; j < S; j++) if (hits[j][r.set[j]]++ == 0) touched[j].push_back(r.set[j]); }
    for (int b = 0; b < live; b++) {
      const u8* d = &data[starts[b]];
      for (int k = 0; k < 8; k++) { Rec& r = recs[(size_t)b * 8 + k];
        for (int j = 0; j < S; j++) { int err = (r.y << 16) - r.p[j]; int n = hits[j][r.set[j]]; double rr = n > crowd ? RATE * crowd / n : RATE; int e = (int)(((i64)err * (i64)rr + 32768) >> 16); i32* v = &w[j][(size_t)r.set[j] * I]; for (int i = 0; i < I; i++) v[i] += e * (i32)r.x[i]; }
        int err = (r.y << 16) - r.mixed; int e = (int)(((i64)err * RATE2 + 32768) >> 16); for (int j = 0; j < S; j++) w2[r.w2set * S + j] += (e * (r.st[j] >> 4));
        for (int i = 0; i < N; i++) if (r.state[i]) { MapCell& c = maps[i * 256 + r.state[i]]; c.hits++; c.d += ((i64)r.y << 22) - c.p; }
        { int tgt = r.y ? 65535 : 0; o0[r.node] += (tgt - o0[r.node]) / 64;
          if (r.mlen >= 0) { int hit = r.mbit == r.y; matchP[r.mlen] += ((hit ? 65535 : 0) - matchP[r.mlen]) / 128; if (matchP[r.mlen] < 33000) matchP[r.mlen] = 33000; }
          a1[r.c1] += (tgt - a1[r.c1]) / 64; a2[r.c2] += (tgt - a2[r.c2]) / 64; } }
      for (int i = 0; i < N; i++) for (int nb = 0; nb < 2; nb++) { size_t at = ((size_t)b * N + i) * 2 + nb; u8* q = &lines[i][(size_t)lineAt[at] * 16];
        if (q[0] != checkAt[at]) { if (!fresh[at]) continue; memset(q, 0, 16); q[0] = checkAt[at]; }
        for (int k = nb * 4; k < nb * 4 + 4; k++) { Rec& r = recs[(size_t)b * 8 + k]; int nn = k < 4 ? r.node : (1 << (k - 4)) | (r.node & ((1 << (k - 4)) - 1)); q[nn] = nextState[seqApply ? q[nn] : r.state[i]][r.y]; } }
      const int y = d[t]; Match& m = match[b]; if (m.stream >= 0) { if ((u32)m.pos < std::min<u32>(t, lens[m.stream]) && data[starts[m.stream] + m.pos] == y) { m.len++; m.pos++; } else m = Match(); }
      bool upper = y >= 65 && y <= 90; if (upper || (y >= 97 && y <= 122) || y >= 128) word[b] = mixInto(word[b], upper ? y + 32 : y); else { if (word[b]) wordB[b] = word[b]; word[b] = 0; }
    }
    for (int j = 0; j < S; j++) { for (int k : touched[j]) { hits[j][k] = 0; i32* v = &w[j][(size_t)k * I]; i16* h = &wh[j][(size_t)k * I]; for (int i = 0; i < I; i++) { v[i] = std::max(-(1 << 29), std::min((1 << 29) - 1, v[i])); h[i] = (i16)(v[i] >> 14); } } touched[j].clear(); }
    for (auto& c : maps) if (c.hits) { // p += D / (R + n)
      c.n = std::min(mapLimit, c.n + c.hits); int den = c.n + 1; if (den < c.hits + 1) den = c.hits + 1; c.p = (u32)std::max<i64>(64, std::min<i64>((1 << 22) - 64, (i64)c.p + c.d / den)); c.hits = 0; c.d = 0; }
    for (int b = 0; b < live; b++) if (t + 1 >= (u32)minMatch) { const u8* d = &data[starts[b]]; u32 n = t + 1, k = 0; for (int o = 1; o <= minMatch; o++) k = mixInto(k, d[n - o]); u32& pl = places[finish(k) & ((1 << 20) - 1)]; Match& m = match[b];
      if (pm) { u32& p2 = places2[finish(mixInto(k, b)) & ((1 << 20) - 1)]; if (m.stream < 0 && p2 != ~0u) { int st = p2 >> 20, ps = p2 & 0xfffff; int l = 0; if (st == b) { while (l < 64 && l < ps && l < (int)n && data[starts[st] + ps - 1 - l] == d[n - 1 - l]) l++; if (l >= minMatch - 1) m = {st, ps, l}; } } p2 = (u32)b << 20 | n; }
      if (m.stream < 0 && pl != ~0u) { int st = pl / (1 << 20) , ps = pl & 0xfffff; int l = 0; while (l < 64 && l < ps && l < (int)n && data[starts[st] + ps - 1 - l] == d[n - 1 - l]) l++; if (l >= minMatch - 1) m = {st, ps, l}; }
      pl = (u32)b << 20 | n; }
  }
  printf("%-22s B %d I %d S %d: net %.0f mixed %.0f final %.0f\n", strrchr(seenFile, '/') ? strrchr(seenFile, '/') + 1 : seenFile, B, I, S, bitsNet / 8, bitsMixed / 8, bitsFinal / 8);
}
