// Many datagrams a call (recvmmsg(2), sendmmsg(2)), and the notes that come and go with each (cmsg(3)): glibc hides the
// types behind _GNU_SOURCE, and the macros are nothing that Swift could import.
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/// A datagram's place in such a call (struct mmsghdr).
struct clinux_datagram {
  struct msghdr header;
  /// How long it was.
  unsigned int length;
};

/// What is noted on a datagram besides its bytes.
struct clinux_notes {
  /// Our own address in the kernel's form: where it was sent to, or where it is to come from; 0 where that is not said.
  /// An IPv4 address has the first four bytes.
  uint64_t local[2];
  /// The interface by which it came, or is to leave; 0 for any.
  uint32_t interface;
  /// How long each of the datagrams is of which these are the bytes, the last one at the most; 0 where it is one.
  uint16_t segment;
};

/// The bytes that notes take at the most.
enum { clinux_notes_space = 96 };

/// recvmmsg(2) without waiting.
static inline int clinux_recvmmsg(int fd, struct clinux_datagram *datagrams, unsigned int count) {
  return (int)syscall(SYS_recvmmsg, fd, datagrams, count, MSG_DONTWAIT, NULL);
}

/// sendmmsg(2) without waiting.
static inline int clinux_sendmmsg(int fd, struct clinux_datagram *datagrams, unsigned int count) {
  return (int)syscall(SYS_sendmmsg, fd, datagrams, count, MSG_DONTWAIT);
}

/// struct in6_pktinfo (ipv6(7)).
struct clinux_in6_pktinfo {
  struct in6_addr address;
  unsigned int interface;
};

/// Reads the notes of a received datagram: IP_PKTINFO, IPV6_PKTINFO and UDP_GRO.
static inline struct clinux_notes clinux_read_notes(struct msghdr *header) {
  struct clinux_notes notes = {{0, 0}, 0, 0};
  for (struct cmsghdr *note = CMSG_FIRSTHDR(header); note; note = CMSG_NXTHDR(header, note)) {
    if (note->cmsg_level == IPPROTO_IP && note->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(note), sizeof info);
      // For a broadcast this is the interface's address, from which an answer can come.
      memcpy(notes.local, &info.ipi_spec_dst, sizeof info.ipi_spec_dst);
    } else if (note->cmsg_level == IPPROTO_IPV6 && note->cmsg_type == IPV6_PKTINFO) {
      struct clinux_in6_pktinfo info;
      memcpy(&info, CMSG_DATA(note), sizeof info);
      memcpy(notes.local, &info.address, sizeof info.address);
      // Nothing but a link-local address needs it, and an answer may leave by another one than the question came by.
      if (IN6_IS_ADDR_LINKLOCAL(&info.address)) notes.interface = info.interface;
    } else if (note->cmsg_level == IPPROTO_UDP && note->cmsg_type == UDP_GRO) {
      int segment;
      memcpy(&segment, CMSG_DATA(note), sizeof segment);
      notes.segment = (uint16_t)segment;
    }
  }
  return notes;
}

/// Writes the notes of a datagram to send into the memory that the header names: IP_PKTINFO or IPV6_PKTINFO, where a
/// local address is given, and UDP_SEGMENT, where a segment is.
static inline void clinux_write_notes(struct msghdr *header, int family, struct clinux_notes notes) {
  size_t length = 0;
  header->msg_controllen = clinux_notes_space;
  struct cmsghdr *note = CMSG_FIRSTHDR(header);
  if (notes.local[0] | notes.local[1]) {
    if (family == AF_INET) {
      struct in_pktinfo info = {0};
      memcpy(&info.ipi_spec_dst, notes.local, sizeof info.ipi_spec_dst);
      *note = (struct cmsghdr){
          .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
      memcpy(CMSG_DATA(note), &info, sizeof info);
      length += CMSG_SPACE(sizeof info);
    } else {
      struct clinux_in6_pktinfo info = {.interface = notes.interface};
      memcpy(&info.address, notes.local, sizeof info.address);
      *note = (struct cmsghdr){
          .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO};
      memcpy(CMSG_DATA(note), &info, sizeof info);
      length += CMSG_SPACE(sizeof info);
    }
    note = (struct cmsghdr *)((char *)header->msg_control + length);
  }
  if (notes.segment) {
    *note = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof notes.segment), .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT};
    memcpy(CMSG_DATA(note), &notes.segment, sizeof notes.segment);
    length += CMSG_SPACE(sizeof notes.segment);
  }
  header->msg_controllen = length;
}

/// What the note about segments takes of them; it stands last.
static inline size_t clinux_segment_note_space(void) { return CMSG_SPACE(sizeof(uint16_t)); }
