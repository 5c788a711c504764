// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Heads of ledgers, for good (docs/spec/anchoring.md)
/// @notice Anyone writes heads of any log under its own address, so nobody can block another's log. The sizes of one
/// log under one address only grow; a root, once written, stays for as long as the chain does.
/// @dev Slots are part of the specification: proofs of storage name them.
contract StateAnchor {
    /// Slot 0: the largest size, by who wrote it and log.
    mapping(address anchorer => mapping(bytes16 logId => uint64 size)) public sizeOf;
    /// Slot 1: the root, by who wrote it, log and size; zero where there is none.
    mapping(address anchorer => mapping(bytes16 logId => mapping(uint64 size => bytes32 root))) public rootOf;

    event Anchored(address indexed anchorer, bytes16 indexed logId, uint64 indexed size, bytes32 root);

    /// The log has `size` entries here already, or more.
    error NotGrown(uint64 size);
    /// No tree has this root.
    error NoRoot();

    /// @param size entries of the log: more than before
    /// @param root SHA-256 root over them (RFC 9162)
    function anchor(bytes16 logId, uint64 size, bytes32 root) external {
        uint64 before = sizeOf[msg.sender][logId];
        if (size <= before) revert NotGrown(before);
        if (root == 0) revert NoRoot();
        sizeOf[msg.sender][logId] = size;
        rootOf[msg.sender][logId][size] = root;
        emit Anchored(msg.sender, logId, size, root);
    }
}
