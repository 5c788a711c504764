// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title What takes payments in: exact amounts, an owner that changes in two steps and fetches the money itself
abstract contract Treasury is Ownable2Step {
    event Withdrawn(address indexed owner, uint256 amount);

    /// The call carries another amount than its price.
    error WrongAmount(uint256 price, uint256 paid);
    /// The owner does not take its money.
    error NotTaken();
    /// Without an owner nobody could fetch the money.
    error OwnerNeeded();

    constructor(address owner) Ownable(owner) {}

    /// Sends all that was paid in to the owner who asks.
    function withdraw() external onlyOwner {
        uint256 amount = address(this).balance;
        emit Withdrawn(msg.sender, amount);
        (bool taken,) = msg.sender.call{value: amount}("");
        if (!taken) revert NotTaken();
    }

    function renounceOwnership() public pure override {
        revert OwnerNeeded();
    }

    function _mustPay(uint256 price) internal view {
        if (msg.value != price) revert WrongAmount(price, msg.value);
    }
}
