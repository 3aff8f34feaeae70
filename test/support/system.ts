/** Whether namespaces, devices and raw sockets can be had. */
export const isRoot = process.getuid?.() === 0;
