/** struct virtio_net_hdr: before every packet of a device with IFF_VNET_HDR; all zero means nothing special. */
export const VNET_HEADER_BYTES = 10;
