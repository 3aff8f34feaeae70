// Prepares the VM of real peers: Debian's kernel and an initial root file system with Debian's pppd, pppoe-server
// and xl2tpd in it. Prints {"kernel": PATH, "initrd": PATH, "versions": {PACKAGE: VERSION, …}} as its last line. Takes
// 0.1 s when all is there.
//
// Everything is kept in $LACEWING_CACHE, else /var/cache/lacewing, under peer-vm/; it may be deleted at any time.

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { cpioArchive } from "./image/cpio.mjs";
import { downloadPackages, kernelPackage, packageVersions, unpackPackage } from "./image/debian.mjs";
import { extractKernel, modulesInLoadOrder } from "./image/kernel.mjs";
import { Rootfs } from "./image/rootfs.mjs";

const KERNEL_META_PACKAGE = "linux-image-amd64";

/** Unpacked for the guest. libpcap and libpam are what pppd needs beyond a minimal Debian. */
const GUEST_PACKAGES = ["ppp", "pppoe", "xl2tpd", "libpcap0.8", "libpam0g"];
const GUEST_PROGRAMS = [
  "usr/sbin/pppd",
  "usr/sbin/pppoe",
  "usr/sbin/pppoe-server",
  "usr/sbin/pppoe-discovery",
  "usr/sbin/xl2tpd",
];
/** This machine's own, from packages.txt. */
const HOST_PROGRAMS = ["bash", "ip", "tc", "ping", "tcpdump"];
const PPPD_PLUGINS = ["rp-pppoe.so", "pppoe.so", "pppol2tp.so"];
const MODULES = [
  ...["virtio_pci", "virtio_console", "9pnet_virtio", "9p", "virtio_net"],
  ...[
    "ppp_generic",
    "ppp_async",
    "ppp_synctty",
    "ppp_deflate",
    "bsd_comp",
    "pppoe",
    "l2tp_ppp",
    "l2tp_netlink",
  ],
  ...["veth", "8021q", "sch_netem"],
];

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(process.env.LACEWING_CACHE || "/var/cache/lacewing", "peer-vm");

function main() {
  const image = join(cache, `image-${fingerprint()}`);
  if (!existsSync(image)) build(image);
  const versions = JSON.parse(readFileSync(join(image, "versions.json"), "utf8"));
  console.log(JSON.stringify({ kernel: join(image, "vmlinux"), initrd: join(image, "initrd"), versions }));
}

/** Changes when anything in this directory does that ends up in the image. */
function fingerprint() {
  const hash = createHash("sha256");
  for (const part of ["prepare.mjs", "image", "guest"]) {
    for (const file of filesUnder(join(here, part)).sort()) {
      hash
        .update(`${relative(here, file)}\0`)
        .update(readFileSync(file))
        .update("\0");
    }
  }
  return hash.digest("hex").slice(0, 16);
}

function filesUnder(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .map((entry) => join(path, entry))
    .filter((entry) => statSync(entry).isFile());
}

/** Builds beside the final place and moves it there whole, so that two at once do not disturb each other. */
function build(image) {
  console.log(`preparing the VM of real peers in ${cache} (once; downloads about 70 MB of Debian packages)`);
  mkdirSync(cache, { recursive: true });
  const kernel = kernelPackage(KERNEL_META_PACKAGE);
  const debs = downloadPackages([kernel, ...GUEST_PACKAGES], join(cache, "debs"));
  const scratch = mkdtempSync(join(cache, ".build-"));
  try {
    const made = join(scratch, "image");
    mkdirSync(made);
    const tree = join(scratch, "kernel");
    unpackPackage(debs[0], tree, ["./boot", "./lib/modules"]);
    extractKernel(join(tree, "boot", kernel.replace("linux-image", "vmlinuz")), join(made, "vmlinux"));
    const peers = join(scratch, "peers");
    for (const deb of debs.slice(1)) unpackPackage(deb, peers);
    const rootfs = guestRootfs(peers, modulesInLoadOrder(MODULES, join(tree, "lib/modules")));
    writeFileSync(join(made, "initrd"), cpioArchive(rootfs.entries()));
    writeFileSync(join(made, "versions.json"), JSON.stringify(packageVersions(debs)));
    moveIntoPlace(made, image);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function guestRootfs(peers, modules) {
  const rootfs = new Rootfs();
  const libraries = [join(peers, "usr/lib/x86_64-linux-gnu"), join(peers, "lib/x86_64-linux-gnu")].join(":");
  for (const program of GUEST_PROGRAMS) rootfs.addProgram(program, join(peers, program), libraries);
  const plugins = join(peers, "usr/lib/pppd");
  const version = readdirSync(plugins).find((entry) => statSync(join(plugins, entry)).isDirectory());
  for (const name of PPPD_PLUGINS) {
    const plugin = join(plugins, version, name);
    if (existsSync(plugin)) rootfs.addProgram(`usr/lib/pppd/${version}/${name}`, plugin, libraries);
  }
  for (const name of HOST_PROGRAMS) rootfs.addHostProgram(name);
  rootfs.addBusybox();
  for (const module of modules) rootfs.addFile(`modules/${basename(module)}`, readFileSync(module));
  rootfs.addFile("modules/order", Buffer.from(modules.map((module) => `${basename(module)}\n`).join("")));
  rootfs.addFile("etc/passwd", Buffer.from("root:x:0:0:root:/root:/bin/sh\n"));
  rootfs.addFile("etc/group", Buffer.from("root:x:0:\ndip:x:30:\n"));
  rootfs.addFile("etc/hosts", Buffer.from("127.0.0.1 localhost peer\n"));
  rootfs.addFile("etc/ppp/options", Buffer.from(""));
  rootfs.addFile("init", readFileSync(join(here, "guest/init")), true);
  rootfs.addFile("usr/sbin/agent", readFileSync(join(here, "guest/agent")), true);
  rootfs.addFile("usr/sbin/agent-job", readFileSync(join(here, "guest/agent-job")), true);
  return rootfs;
}

function moveIntoPlace(made, image) {
  try {
    renameSync(made, image);
  } catch (error) {
    if (!existsSync(image)) throw error; // else somebody else was faster, with the same contents
  }
}

main();
